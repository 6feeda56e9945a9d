/* A stand-in for the library of that name. Its thread-local memory must be there when it is loaded,
   as the real one's must: loaded late, after others took what room there was, it is refused. */
static __thread char room[REPLICA_ROOM];

int replica_carb(int at) { return ++room[at]; }

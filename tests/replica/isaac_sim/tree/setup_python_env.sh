# Replica: the order in which the simulator's python.sh puts its folders on PYTHONPATH. What pip
# installs (the second line) goes before what is bundled (from the line of pip_archive on).
order="$PYTHONPATH"
for folder in \
  "$here/kit/python/lib/python3.11" \
  "$here/kit/python/lib/python3.11/site-packages" \
  "$here/python_packages" \
  "$here/exts/isaacsim.simulation_app" \
  "$here/extsDeprecated/omni.isaac.kit" \
  "$here/kit/kernel/py" \
  "$here/kit/plugins/bindings-python" \
  "$here"/extscache/omni.kit.pip_archive*/pip_prebundle \
  "$here"/kit/exts/omni.kit.pip_archive*/pip_prebundle \
  "$here/exts/omni.isaac.core_archive/pip_prebundle" \
  "$here/exts/omni.isaac.ml_archive/pip_prebundle" \
  "$here/exts/omni.pip.compute/pip_prebundle" \
  "$here/exts/omni.pip.cloud/pip_prebundle"
do
  if [ -d "$folder" ]; then order="${order:+$order:}$folder"; fi
done
export PYTHONPATH="$order"

// A writer of frames as extensions of 2023 have it: what it cannot write it names by kind and size.
#include <pybind11/numpy.h>
#include <pybind11/pybind11.h>

#include <string>

namespace py = pybind11;

static py::ssize_t written(const py::array& frame) {
    const auto size = frame.dtype().itemsize();
    if (size != 1 && size != 2 && size != 4 && size != 8) {
        throw py::type_error("Unable to write from unknown dtype, kind=" +
                             std::string(1, frame.dtype().kind()) + ", size=" + std::to_string(size));
    }
    return frame.size() * size;
}

PYBIND11_MODULE(frame_writer, module) {
    module.doc() = "Writes frames.";
    module.def("write", &written);
}

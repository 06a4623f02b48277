// Finding cuDNN.
#include "Cudnn.h"
#include "FoundLibrary.h"

namespace gen::runtime {
namespace {

struct Library {
  FoundLibrary found{"GEN_CUDNN", {"libcudnn.so.9"}};
  Cudnn functions = {};

  Library() {
    found.find("cudnnCreate", functions.create);
    found.find("cudnnDestroy", functions.destroy);
    found.find("cudnnSetStream", functions.setStream);
    found.find("cudnnBackendCreateDescriptor", functions.descriptorCreate);
    found.find("cudnnBackendDestroyDescriptor", functions.descriptorDestroy);
    found.find("cudnnBackendSetAttribute", functions.descriptorSet);
    found.find("cudnnBackendGetAttribute", functions.descriptorGet);
    found.find("cudnnBackendFinalize", functions.descriptorFinalize);
    found.find("cudnnBackendExecute", functions.execute);
    found.find("cudnnGetErrorString", functions.getErrorString);
  }
};

} // namespace

const Cudnn *Cudnn::get() {
  static const Library library;
  return library.found.check("cuDNN") ? &library.functions : nullptr;
}

} // namespace gen::runtime

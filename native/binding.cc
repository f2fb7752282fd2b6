#include <napi.h>

static Napi::Object init(Napi::Env env, Napi::Object exports) { return exports; }
NODE_API_MODULE(torchscript, init)

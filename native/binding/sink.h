// What programs print, kept until JavaScript can receive it.
#pragma once
#include <napi.h>

#include <cstdio>
#include <string>
#include <utility>
#include <vector>

#include "binding/environment.h"
#include "core/run.h"

namespace torchscript::binding {

class BufferedSink final : public OutputSink {
 public:
  void print(const std::string& line) override { lines_.emplace_back(false, line); }
  void warn(const std::string& message) override { lines_.emplace_back(true, message); }

  // Hands everything over, in order: to the handlers, else to standard output and standard error.
  void deliver(Environment& environment, Napi::Env env) {
    for (auto& [warning, text] : std::exchange(lines_, {})) {
      Napi::FunctionReference& handler = warning ? environment.warn_handler : environment.print_handler;
      if (!handler.IsEmpty()) {
        Napi::HandleScope scope(env);
        handler.Call({Napi::String::New(env, text)});
      } else {
        std::fprintf(warning ? stderr : stdout, "%s\n", text.c_str());
        std::fflush(warning ? stderr : stdout);
      }
    }
  }

 private:
  std::vector<std::pair<bool, std::string>> lines_;
};

}  // namespace torchscript::binding

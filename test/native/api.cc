// Runs plan files through the public C++ API, for test/native/api.test.ts. Usage:
//   api run <plan file> <function> <argument>...   prints the result as JSON; the same from four threads at once
//   api load <plan file>...                        prints what became of each file: its functions, or the error
// Arguments: int:5, float:0.5, bool:1, str:text, none, ints:1,2, f32:2,3:<numbers>, i64:2:<numbers>.
#include <torchscript/torchscript.h>

#include <cstdio>
#include <cstring>
#include <sstream>
#include <stdexcept>
#include <string>
#include <thread>
#include <vector>

using namespace torchscript::api;

namespace {

template <class T> std::vector<T> numbers(const std::string& text) {
  std::vector<T> all;
  std::istringstream in(text);
  for (std::string part; std::getline(in, part, ',');) all.push_back(static_cast<T>(std::stod(part)));
  return all;
}

template <class T> Value tensor_argument(const std::string& text) {
  size_t colon = text.find(':');
  return Tensor::of<T>(numbers<int64_t>(text.substr(0, colon)), numbers<T>(text.substr(colon + 1)));
}

Value argument(const std::string& text) {
  size_t colon = text.find(':');
  std::string kind = text.substr(0, colon), rest = colon == std::string::npos ? "" : text.substr(colon + 1);
  if (kind == "int") return std::stoi(rest);
  if (kind == "float") return std::stod(rest);
  if (kind == "bool") return rest == "1";
  if (kind == "str") return rest;
  if (kind == "ints") {
    std::vector<Value> items;
    for (int64_t n : numbers<int64_t>(rest)) items.push_back(n);
    return Value::list(items);
  }
  if (kind == "f32") return tensor_argument<float>(rest);
  if (kind == "i64") return tensor_argument<int64_t>(rest);
  return Value();
}

template <class T> std::string elements(const Tensor& tensor) {
  std::string text;
  char number[40];
  for (int64_t i = 0; i < tensor.numel(); i++) {
    std::snprintf(number, sizeof number, "%s%.17g", i ? "," : "", static_cast<double>(tensor.data<T>()[i]));
    text += number;
  }
  return text;
}

std::string json(const Value& value) {
  char number[40];
  switch (value.kind()) {
    case Value::Kind::None: return "null";
    case Value::Kind::Bool: return value.boolean() ? "true" : "false";
    case Value::Kind::Int: return std::to_string(value.integer());
    case Value::Kind::Float: std::snprintf(number, sizeof number, "%.17g", value.number()); return number;
    case Value::Kind::String: return '"' + value.string() + '"';
    case Value::Kind::Tensor: {
      Tensor tensor = value.tensor();
      std::string sizes;
      for (int64_t n : tensor.sizes()) sizes += (sizes.empty() ? "" : ",") + std::to_string(n);
      return "{\"shape\":[" + sizes + "],\"data\":[" +
             (tensor.dtype() == DType::F32   ? elements<float>(tensor)
              : tensor.dtype() == DType::I64 ? elements<int64_t>(tensor)
                                             : "") +
             "]}";
    }
    case Value::Kind::List:
    case Value::Kind::Tuple: {
      std::string text;
      for (const Value& item : value.items()) text += (text.empty() ? "" : ",") + json(item);
      return "[" + text + "]";
    }
    case Value::Kind::Other: break;
  }
  return "\"other\"";
}

int run(const std::string& path, const std::string& function, const std::vector<Value>& args) {
  Program program = Program::load(path);
  std::string first = json(program.run(function, args));
  std::vector<std::string> others(4);
  std::vector<std::thread> threads;
  for (std::string& other : others)
    threads.emplace_back([&] {
      try {
        for (int i = 0; i < 8; i++) other = json(program.run(function, args));
      } catch (const std::exception& e) {
        other = e.what();
      }
    });
  for (std::thread& thread : threads) thread.join();
  for (const std::string& other : others)
    if (other != first) throw std::runtime_error("a thread has another result: " + other);
  std::printf("%s\n", first.c_str());
  return 0;
}

int load(const std::vector<std::string>& paths) {
  for (const std::string& path : paths) {
    try {
      std::string names;
      for (const std::string& name : Program::load(path).functions()) names += " " + name;
      std::printf("loaded%s\n", names.c_str());
    } catch (const std::runtime_error& e) {
      std::printf("error: %s\n", e.what());
    }
  }
  return 0;
}

}  // namespace

int main(int argc, char** argv) {
  std::vector<std::string> words(argv + 1, argv + argc);
  try {
    set_num_threads(2);
    if (words.size() >= 3 && words[0] == "run") {
      std::vector<Value> args;
      for (size_t i = 3; i < words.size(); i++) args.push_back(argument(words[i]));
      return run(words[1], words[2], args);
    }
    if (words.size() >= 2 && words[0] == "load") return load({words.begin() + 1, words.end()});
    std::fprintf(stderr, "Expected run or load\n");
    return 2;
  } catch (const std::runtime_error& e) {
    std::fprintf(stderr, "%s\n", e.what());
    return 1;
  }
}

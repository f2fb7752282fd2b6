// GCC 12 sees strings that overlap where two are joined (its bug 105651).
#if defined(__GNUC__) && !defined(__clang__)
#pragma GCC diagnostic ignored "-Wrestrict"
#endif
#include "cuda/emit/recorder.h"

#include <cstdio>
#include <cstring>
#include <utility>

namespace torchscript::cuda::emit {
namespace {

constexpr const char* kPrefixes[kTypes] = {"%p", "%h", "%r", "%f", "%l", "%d"};
constexpr const char* kDeclared[kTypes] = {".pred", ".b16", ".b32", ".f32", ".b64", ".f64"};
thread_local Recorder* current = nullptr;

}  // namespace

Value known_f32(float x) {
  Value value{Type::F32, true};
  uint32_t bits;
  std::memcpy(&bits, &x, sizeof bits);
  value.bits = bits;
  return value;
}
Value known_f64(double x) {
  Value value{Type::F64, true};
  std::memcpy(&value.bits, &x, sizeof value.bits);
  return value;
}
Value known_b32(int32_t x) { return {Type::B32, true, -1, static_cast<uint64_t>(static_cast<int64_t>(x))}; }
Value known_b16(uint16_t x) { return {Type::B16, true, -1, x}; }
Value known_b64(int64_t x) { return {Type::B64, true, -1, static_cast<uint64_t>(x)}; }

std::string Recorder::text_of(const Value& value) {
  if (!value.known) return kPrefixes[static_cast<int>(value.type)] + std::to_string(value.id);
  char text[32];
  switch (value.type) {
    case Type::F32: snprintf(text, sizeof text, "0f%08X", static_cast<uint32_t>(value.bits)); break;
    case Type::F64: snprintf(text, sizeof text, "0d%016llX", static_cast<unsigned long long>(value.bits)); break;
    default: snprintf(text, sizeof text, "%lld", static_cast<long long>(value.bits)); break;
  }
  return text;
}

Value Recorder::fresh(Type type, bool uniform) {
  std::vector<bool>& registers = uniform_registers_[static_cast<int>(type)];
  registers.push_back(uniform);
  return {type, false, static_cast<int>(registers.size()) - 1};
}

namespace {
constexpr const char* kMoves[kTypes] = {"mov.pred", "mov.b16", "mov.b32", "mov.f32", "mov.b64", "mov.f64"};
}  // namespace

Value Recorder::held(const Value& value) {
  if (!value.known) return value;
  const std::string key = std::string(kMoves[static_cast<int>(value.type)]) + " " + text_of(value);
  const auto found = uniform_results_.find(key);
  if (found != uniform_results_.end()) return found->second;
  const Value result = fresh(value.type, true);
  uniform_ += "\t" + std::string(kMoves[static_cast<int>(value.type)]) + " " + text_of(result) + ", " + text_of(value) + ";\n";
  uniform_results_.emplace(key, result);
  return result;
}

Value Recorder::pair(const Value& low, const Value& high) {
  const std::string key = "pair " + text_of(low) + ", " + text_of(high);
  const auto found = body_results_.find(key);
  if (found != body_results_.end()) return found->second;
  const bool before = !in_body_ || (is_uniform(low) && is_uniform(high));
  const Value zero = low.known ? held(low) : low, result = fresh(Type::B32, before);
  line("\tmov.b32 " + text_of(result) + ", {" + text_of(zero) + ", " + text_of(high) + "};", before);
  if (!before) body_results_.emplace(key, result);
  return result;
}
Value Recorder::half_of(const Value& word, int which) {
  const auto name = [&](int half) { return "half" + std::to_string(half) + " " + text_of(word); };
  const auto found = body_results_.find(name(which));
  if (found != body_results_.end()) return found->second;
  const bool before = !in_body_ || is_uniform(word);
  const Value halves[2] = {fresh(Type::B16, before), fresh(Type::B16, before)};
  line("\tmov.b32 {" + text_of(halves[0]) + ", " + text_of(halves[1]) + "}, " + text_of(word) + ";", before);
  for (int half = 0; half < 2; half++) body_results_.emplace(name(half), halves[half]);
  return halves[which];
}

Value Recorder::op(Type type, const char* mnemonic, std::initializer_list<Value> args) {
  // A half that became a float is what that float rounds to.
  if (args.size() == 1 && !args.begin()->known && std::strcmp(mnemonic, "cvt.rn.f16.f32") == 0) {
    const auto half = halves_.find(args.begin()->id);
    if (half != halves_.end()) return half->second;
  }
  bool uniform = true, known = true;
  for (const Value& arg : args) {
    uniform = uniform && is_uniform(arg);
    known = known && arg.known;
  }
  std::string list;
  for (const Value& arg : args) {
    // An instruction wants one register.
    list += (list.empty() ? "" : ", ") + text_of(known ? held(arg) : arg);
    known = false;
  }
  const std::string key = std::string(mnemonic) + " " + list;
  const bool before = uniform || !in_body_;
  auto& results = before ? uniform_results_ : body_results_;
  const auto found = results.find(key);
  if (found != results.end()) return found->second;
  const Value result = fresh(type, before);
  (before ? uniform_ : body_) += "\t" + std::string(mnemonic) + " " + text_of(result) + ", " + list + ";\n";
  results.emplace(key, result);
  if (std::strcmp(mnemonic, "cvt.f32.f16") == 0) halves_.emplace(result.id, *args.begin());
  return result;
}

Recorder::Branch Recorder::branch(const Value& predicate, const Value& otherwise) {
  Branch branch{fresh(otherwise.type, !in_body_), label(), body_results_};
  const std::string move = std::string("\t") + kMoves[static_cast<int>(otherwise.type)] + " ";
  line(move + text_of(branch.variable) + ", " + text_of(otherwise) + ";");
  line("\t@!" + text_of(predicate) + " bra " + branch.label + ";");
  return branch;
}
Value Recorder::join(Branch& branch, const Value& result) {
  const std::string move = std::string("\t") + kMoves[static_cast<int>(result.type)] + " ";
  line(move + text_of(branch.variable) + ", " + text_of(result) + ";");
  line(branch.label + ":");
  body_results_ = std::move(branch.results);
  return branch.variable;
}

Recorder::Loop Recorder::loop(const Value& first) {
  Loop loop{fresh(first.type, false), label(), label(), body_results_};
  line(std::string("\t") + kMoves[static_cast<int>(first.type)] + " " + text_of(loop.variable) + ", " + text_of(first) + ";");
  line(loop.begin + ":");
  return loop;
}
void Recorder::leave_unless(const Loop& loop, const Value& predicate) { line("\t@!" + text_of(predicate) + " bra " + loop.end + ";"); }
void Recorder::again(Loop& loop, const Value& next) {
  line(std::string("\t") + kMoves[static_cast<int>(next.type)] + " " + text_of(loop.variable) + ", " + text_of(next) + ";");
  line("\tbra " + loop.begin + ";");
  line(loop.end + ":");
  body_results_ = std::move(loop.results);
}

void Recorder::line(const std::string& text, bool uniform) { (in_body_ && !uniform ? body_ : uniform_) += text + "\n"; }

void Recorder::begin_body() {
  in_body_ = true;
  body_.clear();
  body_results_.clear();
}
std::string Recorder::end_body() {
  in_body_ = false;
  body_results_.clear();
  return std::exchange(body_, std::string());
}

std::string Recorder::declarations() const {
  std::string text;
  for (int t = 0; t < kTypes; t++) {
    const size_t count = uniform_registers_[t].size();
    if (count > 0) text += "\t.reg " + std::string(kDeclared[t]) + " " + kPrefixes[t] + "<" + std::to_string(count) + ">;\n";
  }
  return text;
}

Recorder& recorder() { return *current; }
Recording::Recording(Recorder& recorder) : before_(std::exchange(current, &recorder)) {}
Recording::~Recording() { current = before_; }

}  // namespace torchscript::cuda::emit

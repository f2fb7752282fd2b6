#include "core/program.h"

#include <algorithm>
#include <unordered_set>

#include "core/derived.h"
#include "core/errors.h"
#include "core/memory.h"
#include "core/recorder.h"
#include "core/registry.h"
#include "core/signature.h"

namespace torchscript {
namespace {

// What recordings leave in the cache of blocks from this size on is given back.
constexpr size_t kLargeBlock = 16 << 10;

}  // namespace

Ref<Program> Program::load(const uint8_t* bytes, size_t size, const std::vector<Ref<Tensor>>& tensors, OutputSink* sink) {
  auto program = make_ref<Program>();
  program->plan_ = decode_plan(bytes, size, tensors);
  for (const Ref<Tensor>& tensor : tensors) {
    tensor->storage->module_state = true;
    // What JavaScript has memory of may be written unseen.
    if (tensor->requires_grad && !tensor->storage->foreign && !tensor->storage->exposed && !tensor->storage->is_weight)
      tensor->storage->packable = true;
    program->loaded_storages_.push_back(tensor->storage);
    program->loaded_tensors_.push_back(tensor);
  }
  Plan& plan = *program->plan_;
  for (size_t i = 0; i < plan.functions.size(); i++) program->caches_.push_back(std::make_unique<Cache>());
  for (const Operator& op : plan.operators) program->operators_.emplace(op.name, &op);
  for (const auto& pending : plan.pending_states) {
    Run run(*program, nullptr, sink);
    if (pending.function >= 0) {
      Value args[2] = {pending.object, pending.state};
      run.call_function(*plan.functions[static_cast<size_t>(pending.function)], args, 2);
    } else {
      std::string name = pending.object.to_object().type->name + "::__setstate__";
      BuiltinFn builtin = find_builtin(name);
      if (!builtin) throw UnsupportedOperator("The custom class " + pending.object.to_object().type->name + " is not supported yet.");
      Value args[2] = {pending.object, pending.state};
      Value none;
      builtin(run, args, 2, &none, 1);
    }
  }
  plan.pending_states.clear();
  for (uint32_t start : plan.start_functions) {
    Run run(*program, nullptr, sink);
    run.call_function(*plan.functions[start], nullptr, 0);
  }
  return program;
}

const Function& Program::function(size_t index) const {
  if (index >= plan_->functions.size()) fail("The program has no function %zu", index);
  return *plan_->functions[index];
}

const Function& Program::method(const Value& self, const std::string& name) const {
  const ClassInfo& type = *self.to_object().type;
  auto found = type.methods.find(name);
  if (found == type.methods.end()) fail_as("AttributeError", "'%s' object has no method '%s'", type.name.c_str(), name.c_str());
  return *plan_->functions[static_cast<size_t>(found->second)];
}

const Operator* Program::find_operator(const std::string& full_name) const {
  auto found = operators_.find(full_name);
  return found == operators_.end() ? nullptr : found->second;
}

const Kernel* Program::kernel_for(const std::string& full_name) const {
  // `aten::add.Tensor` → row `add`.
  size_t begin = full_name.find("::");
  begin = begin == std::string::npos ? 0 : begin + 2;
  return find_kernel(full_name.substr(begin, full_name.find('.', begin) - begin));
}

Value Program::run_dynamic(const Function& function, const Value* args, size_t nargs, OutputSink* sink, Recorder* recorder) {
  std::unique_lock<std::shared_mutex> alone(state_mutex_, std::defer_lock);
  std::shared_lock<std::shared_mutex> together(state_mutex_, std::defer_lock);
  if (function.mutates_objects) alone.lock();
  else together.lock();
  // Objects from outside may be seen by other runs.
  for (size_t i = 0; i < nargs; i++)
    if (args[i].is(Tag::Object)) mark_shared(args[i]);
  Run run(*this, recorder, sink);
  return run.call_function(function, args, nargs);
}

// The entry of a signature; `record` is set when the caller is the one who records it, `schedule` when there is one to replay.
// Null: run without recording.
std::shared_ptr<Program::Entry> Program::find_entry(Cache& cache, std::string_view key, bool* record, std::shared_ptr<Schedule>* schedule) {
  std::lock_guard<std::mutex> lock(cache.mutex);
  cache.tick++;
  for (auto& entry : cache.entries) {
    if (entry->key != key) continue;
    entry->used = cache.tick;
    if (entry->state != Entry::State::Recorded) return entry;
    if (entry->generation == generation() && entry->schedule->is_current()) {
      *schedule = entry->schedule;
      return entry;
    }
    // Weights or attributes have changed: record again, in an entry of its own, because others may be replaying the old one.
    auto fresh = std::make_shared<Entry>();
    cache.past_replays += entry->replays.load(std::memory_order_relaxed);
    fresh->key = key;
    fresh->inputs = entry->inputs;
    fresh->used = cache.tick;
    fresh->remade = entry->remade + 1;
    if (fresh->remade > kMaxRemade) {
      fresh->state = Entry::State::Dynamic;
      fresh->reason = "weights or attributes keep changing between calls";
    } else {
      *record = true;
    }
    entry = fresh;
    return fresh;
  }
  // Functions whose signatures never repeat are not worth recording.
  int64_t replays = cache.past_replays;
  for (auto& entry : cache.entries) replays += entry->replays.load(std::memory_order_relaxed);
  if (cache.recordings >= kTrialRecordings && replays < cache.recordings) return nullptr;
  cache.recordings++;
  if (cache.entries.size() >= kMaxSignatures) {
    auto oldest =
      std::min_element(cache.entries.begin(), cache.entries.end(), [](const auto& a, const auto& b) { return a->used < b->used; });
    cache.past_replays += (*oldest)->replays.load(std::memory_order_relaxed);
    cache.entries.erase(oldest);
  }
  auto entry = std::make_shared<Entry>();
  entry->key = key;
  entry->used = cache.tick;
  cache.entries.push_back(entry);
  *record = true;
  return entry;
}

void Program::retire(Cache& cache, std::unique_ptr<Ready> ready) {
  ready->schedule->give_instance(std::move(ready->instance));
  std::lock_guard<std::mutex> lock(cache.mutex);
  ready->entry->used = ++cache.tick;
}

Value Program::replay(Cache& cache, std::unique_ptr<Ready> ready, Tensor* const* inputs, bool keeps) {
  struct Back {
    Cache& cache;
    std::unique_ptr<Ready>& ready;
    ~Back() {
      if (ready->schedule->arena_bytes + ready->schedule->device_arena_bytes > kReadyArena) {
        retire(cache, std::move(ready));
        return;
      }
      std::unique_ptr<Ready> other(cache.ready.exchange(ready.release(), std::memory_order_acq_rel));
      if (other) retire(cache, std::move(other));
    }
  } back{cache, ready};
  ready->entry->replays.fetch_add(1, std::memory_order_relaxed);
  return ready->schedule->replay(*ready->instance, inputs, keeps, least_graph.load(std::memory_order_relaxed));
}

namespace {

// Results that nobody else has are weights from now on, so that others may be derived from them.
void mark_weights(const Value& value) {
  if (value.is(Tag::Tensor)) {
    Storage& storage = *value.to_tensor().storage;
    if (!storage.foreign && !storage.module_state) storage.is_weight = true;
  } else if (value.is(Tag::List) || value.is(Tag::Tuple)) {
    for (const Value& item : value.is(Tag::List) ? value.to_list().items : value.to_tuple().items) mark_weights(item);
  }
}

}  // namespace

Value Program::run(const Function& function, const Value* args, size_t nargs, OutputSink* sink, bool keeps) {
  if (!recording.load(std::memory_order_relaxed)) {
    Value result = run_dynamic(function, args, nargs, sink, nullptr);
    if (derives.load(std::memory_order_relaxed)) mark_weights(result);
    return result;
  }
  Signature signature;
  Cache& cache = *caches_[static_cast<size_t>(function.index)];
  if (std::unique_ptr<Ready> ready{cache.ready.exchange(nullptr, std::memory_order_acq_rel)}) {
    if (ready->generation == generation() && signature.matches(args, nargs, ready->entry->key) && ready->schedule->is_current())
      return run_paths(function, args, nargs, sink, cache, std::move(ready), signature, keeps);
    retire(cache, std::move(ready));
  }
  if (!signature.read(args, nargs)) return run_dynamic(function, args, nargs, sink, nullptr);
  bool record = false;
  std::shared_ptr<Schedule> known;
  std::shared_ptr<Entry> entry = find_entry(cache, signature.key(), &record, &known);
  if (known) {
    std::unique_ptr<Ready> ready(new Ready{entry, known, known->take_instance(), entry->generation});
    return run_paths(function, args, nargs, sink, cache, std::move(ready), signature, keeps);
  }
  if (!record) return run_dynamic(function, args, nargs, sink, nullptr);
  return record_run(function, args, nargs, sink, cache, std::move(entry), signature);
}

std::shared_ptr<Schedule> Program::other_path(Cache& cache, Entry& entry, const Schedule& tried, const Diverged& found) {
  std::lock_guard<std::mutex> lock(cache.mutex);
  if (entry.state != Entry::State::Recorded) return nullptr;
  if (entry.schedule->continues(tried, found)) return entry.schedule;
  for (auto& other : entry.others) {
    if (!other->continues(tried, found) || !other->is_current()) continue;
    std::swap(entry.schedule, other);
    return entry.schedule;
  }
  return nullptr;
}

Value Program::run_paths(const Function& function, const Value* args, size_t nargs, OutputSink* sink, Cache& cache, std::unique_ptr<Ready> ready,
                         Signature& signature, bool keeps) {
  const std::shared_ptr<Entry> entry = ready->entry;
  // Each try gets further, unless kernels give other numbers each time.
  for (size_t tries = 0; tries <= kMaxPaths; tries++) {
    const std::shared_ptr<Schedule> schedule = ready->schedule;
    std::shared_ptr<Schedule> next;
    try {
      return replay(cache, std::move(ready), signature.tensors.data(), keeps);
    } catch (const Diverged& found) {
      next = other_path(cache, *entry, *schedule, found);
    }
    if (!next) return record_run(function, args, nargs, sink, cache, entry, signature);
    ready.reset(new Ready{entry, next, next->take_instance(), entry->generation});
  }
  return run_dynamic(function, args, nargs, sink, nullptr);
}

Value Program::record_run(const Function& function, const Value* args, size_t nargs, OutputSink* sink, Cache& cache, std::shared_ptr<Entry> entry,
                          Signature& signature) {
  uint64_t before = generation();
  // Before the run, which may change shapes of arguments.
  std::string inputs = describe_signature(args, nargs);
  Recorder recorder(signature.tensors.data(), signature.tensors.size());
  struct Recording {
    Recording() { begin_recording(); }
    ~Recording() {
      end_recording();
      // Replays have an arena.
      release_cached_blocks(kLargeBlock);
    }
  } recording_now;
  auto settle = [&](Entry::State state, std::string reason, std::shared_ptr<Schedule> schedule) {
    std::lock_guard<std::mutex> lock(cache.mutex);
    entry->inputs = std::move(inputs);
    entry->reason = std::move(reason);
    if (state == Entry::State::Recorded && entry->schedule && entry->generation == before) {
      // One more path.
      if (entry->others.size() + 1 >= kMaxPaths) {
        state = Entry::State::Dynamic;
        entry->reason = "it looks at numbers on the device, which are others in most calls";
      } else {
        entry->others.push_back(std::move(entry->schedule));
      }
    } else {
      entry->others.clear();
    }
    if (state == Entry::State::Dynamic) {
      entry->others.clear();
      schedule = nullptr;
    }
    entry->schedule = std::move(schedule);
    entry->generation = before;
    entry->state = state;
  };
  try {
    Value result = run_dynamic(function, args, nargs, sink, &recorder);
    std::shared_ptr<Schedule> schedule = recorder.finish(result);
    if (schedule) settle(Entry::State::Recorded, "", std::move(schedule));
    else settle(Entry::State::Dynamic, recorder.reason(), nullptr);
    return result;
  } catch (...) {
    // A run that fails says nothing about the next one.
    std::lock_guard<std::mutex> lock(cache.mutex);
    cache.entries.erase(std::remove(cache.entries.begin(), cache.entries.end(), entry), cache.entries.end());
    throw;
  }
}

uint64_t Program::state_version() const {
  uint64_t version = generation();
  for (const Ref<Storage>& storage : loaded_storages_) version += storage->version.load(std::memory_order_acquire);
  return version;
}

void Program::forget_recordings() {
  for (const auto& cache : caches_) {
    std::unique_ptr<Ready> ready(cache->ready.exchange(nullptr, std::memory_order_acq_rel));
    std::vector<std::shared_ptr<Entry>> entries;
    std::lock_guard<std::mutex> lock(cache->mutex);
    for (auto at = cache->entries.begin(); at != cache->entries.end();) {
      if ((*at)->state == Entry::State::Recording) {
        ++at;
        continue;
      }
      entries.push_back(std::move(*at));
      at = cache->entries.erase(at);
    }
  }
}

std::vector<SignatureReport> Program::signatures() {
  std::vector<SignatureReport> reports;
  for (size_t i = 0; i < caches_.size(); i++) {
    std::lock_guard<std::mutex> lock(caches_[i]->mutex);
    for (const auto& entry : caches_[i]->entries) {
      if (entry->state == Entry::State::Recording) continue;
      SignatureReport r;
      r.function = plan_->functions[i]->name;
      r.inputs = entry->inputs;
      r.reason = entry->reason;
      r.recorded = entry->state == Entry::State::Recorded;
      r.replays = entry->replays.load(std::memory_order_relaxed);
      if (entry->schedule) {
        r.steps = static_cast<int64_t>(entry->schedule->steps.size());
        r.arena_bytes = static_cast<int64_t>(entry->schedule->arena_bytes);
        r.device_arena_bytes = static_cast<int64_t>(entry->schedule->device_arena_bytes);
        r.graphs = entry->schedule->graph_report();
        for (const ScheduleSlot& slot : entry->schedule->slots)
          if (slot.kind == SlotKind::Output) r.output_bytes += static_cast<int64_t>(slot.bytes);
        r.live_bytes = static_cast<int64_t>(entry->schedule->live_bytes);
        r.constant_bytes = entry->schedule->constant_bytes;
      }
      reports.push_back(std::move(r));
    }
  }
  return reports;
}

const std::vector<WeightIdentity>& Program::identified_weights() {
  std::call_once(identified_, [&] {
    std::unordered_set<const Storage*> seen;
    for (const Ref<Storage>& storage : loaded_storages_)
      if (seen.insert(storage.get()).second)
        identities_.push_back({storage.get(), identity_of(*storage), storage->version.load(std::memory_order_acquire)});
  });
  return identities_;
}

Digest Program::weights_digest() {
  std::string text;
  for (const WeightIdentity& weight : identified_weights())
    text.append(reinterpret_cast<const char*>(&weight.digest), sizeof weight.digest);
  return digest_of(text);
}

ProgramMemory Program::memory() const {
  ProgramMemory memory;
  std::unordered_set<const Storage*> seen;
  for (const Ref<Storage>& storage : loaded_storages_) {
    if (!seen.insert(storage.get()).second) continue;
    memory.weight_bytes += storage->bytes;
    memory.packed_bytes += storage->packed_bytes();
    if (storage->away.load(std::memory_order_relaxed)) memory.away_bytes += storage->bytes;
  }
  return memory;
}

Value Program::get_attribute(const ObjectValue& object, size_t slot) {
  std::shared_lock<std::shared_mutex> lock(state_mutex_);
  if (slot >= object.slots.size()) fail("%s has no attribute slot %zu", object.type->name.c_str(), slot);
  return object.slots[slot];
}

std::vector<Value> Program::parts_of(const Value& value) {
  std::shared_lock<std::shared_mutex> lock(state_mutex_);
  switch (value.tag()) {
    case Tag::Object: return value.to_object().slots;
    case Tag::List: return value.to_list().items;
    case Tag::Tuple: return value.to_tuple().items;
    case Tag::Dict: {
      std::vector<Value> parts;
      for (const auto& [key, item] : value.to_dict().entries) {
        parts.push_back(key);
        parts.push_back(item);
      }
      return parts;
    }
    default: return {};
  }
}

void Program::set_attribute(ObjectValue& object, size_t slot, Value value) {
  std::lock_guard<std::shared_mutex> lock(state_mutex_);
  if (slot >= object.slots.size()) fail("%s has no attribute slot %zu", object.type->name.c_str(), slot);
  state_changed();
  mark_shared(value);
  object.slots[slot] = std::move(value);
}

}  // namespace torchscript

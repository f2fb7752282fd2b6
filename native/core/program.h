// A loaded program: its plan, and what the executor has learnt about running it.
#pragma once
#include <atomic>
#include <memory>
#include <mutex>
#include <shared_mutex>
#include <string>
#include <string_view>
#include <unordered_map>
#include <vector>

#include "core/digest.h"
#include "core/plan.h"
#include "core/refcount.h"
#include "core/run.h"
#include "core/schedule.h"

namespace torchscript {

struct Signature;

// What the recorder did with one signature of a function.
struct SignatureReport {
  std::string function, inputs, reason;
  bool recorded = false;
  GraphReport graphs;
  int64_t device_arena_bytes = 0;
  int64_t steps = 0, arena_bytes = 0, live_bytes = 0, output_bytes = 0, constant_bytes = 0, replays = 0;
};

// Parameters, buffers and constants of a program, and what kernels have made of them. Programs that share a weight share its packed forms.
// `away_bytes` of the weights are not in memory, because they are packed or nobody has read them: Note [Derived weights].
struct ProgramMemory {
  size_t weight_bytes = 0, packed_bytes = 0, away_bytes = 0;
};

struct WeightIdentity {
  Storage* storage;
  Digest digest;
  uint32_t version;  // of the storage then
};

class Program : public RefCounted {
 public:
  // Runs `__setstate__` of objects and the plan's start functions.
  static Ref<Program> load(const uint8_t* bytes, size_t size, const std::vector<Ref<Tensor>>& tensors, OutputSink* sink);

  const Plan& plan() const { return *plan_; }
  const Function& function(size_t index) const;  // throws OperatorError when there is none
  // The method of an object's class; throws OperatorError.
  const Function& method(const Value& self, const std::string& name) const;
  const Operator* find_operator(const std::string& full_name) const;
  const Kernel* kernel_for(const std::string& full_name) const;

  // Thread-safe. Arguments are of the parameters' types.
  // With `keeps` a replay may give the tensors that an earlier one gave, with new contents.
  Value run(const Function& function, const Value* args, size_t nargs, OutputSink* sink, bool keeps = false);

  Value get_attribute(const ObjectValue& object, size_t slot);
  void set_attribute(ObjectValue& object, size_t slot, Value value);
  // The attributes of an object, the items of a list or tuple, or the keys and values of a dict in turn, while no run writes them.
  std::vector<Value> parts_of(const Value& value);

  // Moves the program's tensors to a device, in place: parameters, buffers, constants, and what its objects reach. Floating-point tensors of
  // objects are cast to `dtype`, unless it is Undefined. Tensors that the program makes on the CPU while it runs follow their neighbours.
  void move_to(int8_t device, DType dtype);
  // Where the program was moved; kCpuDevice at first.
  int8_t device() const { return device_.load(std::memory_order_relaxed); }

  // Attributes, or lists and dictionaries that they reach, were written: what was recorded before is void.
  void state_changed() { generation_.fetch_add(1, std::memory_order_acq_rel); }
  uint64_t generation() const { return generation_.load(std::memory_order_acquire); }

  std::atomic<bool> recording{true};
  // Recordings time the alternatives of a kernel (alternatives.h) and keep the fastest.
  std::atomic<bool> autotune{false};
  // Whether calls that wait for their result keep results: see run().
  std::atomic<bool> keeps_results{false};
  // How many steps in a row on a device are worth a graph (schedule.h); 0: graphs are not used.
  std::atomic<int> least_graph{kLeastGraph};
  static constexpr int kLeastGraph = 3;
  // Large results of operators on weights are weights that are computed when somebody reads them: Note [Derived weights].
  std::atomic<bool> derives{false};
  std::vector<SignatureReport> signatures();
  // Drops all schedules and their memory; calls record again.
  void forget_recordings();
  ProgramMemory memory() const;
  // The program's weights, each once, with digests of what they hold as it was when this was called first.
  const std::vector<WeightIdentity>& identified_weights();
  // A digest of all of them, and of their order.
  Digest weights_digest();

  // Grows when an attribute or the memory of a tensor that the program was loaded with is written.
  uint64_t state_version() const;

 private:
  // What is known of one signature of a function.
  struct Entry {
    std::string key;
    std::string inputs;  // for people
    enum class State { Recording, Recorded, Dynamic } state = State::Recording;
    std::string reason;
    std::shared_ptr<Schedule> schedule;
    // Schedules for other values of the numbers that the program looks at: Note [Decisions].
    std::vector<std::shared_ptr<Schedule>> others;
    uint64_t generation = 0;
    uint64_t used = 0;  // tick of the last use
    std::atomic<int64_t> replays{0};
    int remade = 0;
  };
  // The schedule that ran last, with an instance of it. Whoever takes it out of its place owns it.
  struct Ready {
    std::shared_ptr<Entry> entry;
    std::shared_ptr<Schedule> schedule;
    Schedule::InstancePtr instance;
    uint64_t generation;
  };
  struct Cache {
    std::atomic<Ready*> ready{nullptr};
    std::mutex mutex;
    std::vector<std::shared_ptr<Entry>> entries;
    uint64_t tick = 0;
    int64_t recordings = 0;
    int64_t past_replays = 0;  // of entries that are gone
    ~Cache() { delete ready.load(std::memory_order_acquire); }
  };
  // Larger arenas are shared between the schedules' instances at once.
  static constexpr size_t kReadyArena = size_t{1} << 20;
  static constexpr size_t kMaxSignatures = 16;
  static constexpr int kMaxRemade = 4;
  static constexpr size_t kMaxPaths = 8;
  static constexpr int64_t kTrialRecordings = 48;

  Value run_dynamic(const Function& function, const Value* args, size_t nargs, OutputSink* sink, Recorder* recorder);
  std::shared_ptr<Entry> find_entry(Cache& cache, std::string_view key, bool* record, std::shared_ptr<Schedule>* schedule);
  // Replays what is ready, or another path of its entry; records where there is none.
  Value run_paths(const Function& function, const Value* args, size_t nargs, OutputSink* sink, Cache& cache, std::unique_ptr<Ready> ready,
                  Signature& signature, bool keeps);
  Value record_run(const Function& function, const Value* args, size_t nargs, OutputSink* sink, Cache& cache, std::shared_ptr<Entry> entry,
                   Signature& signature);
  Value replay(Cache& cache, std::unique_ptr<Ready> ready, Tensor* const* inputs, bool keeps);
  // The schedule of the entry for what a replay has found; null when there is none yet. It is the first to be tried from now on.
  static std::shared_ptr<Schedule> other_path(Cache& cache, Entry& entry, const Schedule& tried, const Diverged& found);
  // Gives back what a Ready holds.
  static void retire(Cache& cache, std::unique_ptr<Ready> ready);

  std::unique_ptr<Plan> plan_;
  std::vector<Ref<Storage>> loaded_storages_;
  std::once_flag identified_;
  std::vector<WeightIdentity> identities_;
  std::vector<std::unique_ptr<Cache>> caches_;
  std::unordered_map<std::string, const Operator*> operators_;
  std::atomic<uint64_t> generation_{0};
  std::atomic<int8_t> device_{kCpuDevice};
  std::vector<Ref<Tensor>> loaded_tensors_;
  // Runs that may write attributes, and writes from outside, hold it alone; other operator-by-operator runs share it.
  std::shared_mutex state_mutex_;
};

}  // namespace torchscript

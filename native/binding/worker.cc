#include "binding/worker.h"

#include <condition_variable>
#include <deque>
#include <functional>
#include <mutex>
#include <system_error>
#include <thread>

#include "binding/environment.h"
#include "binding/sink.h"
#include "binding/values.h"
#include "core/device.h"
#include "core/thread_pool.h"

namespace torchscript::binding {

// The way back to one JavaScript thread. Keeps the event loop alive only while runs are under way.
struct AsyncPort {
  napi_threadsafe_function function = nullptr;
  int pending = 0;  // touched by the JavaScript thread only

  // Runs read memory that belongs to the environment (ArrayBuffers, mapped files), so an environment that ends waits for
  // those under way and lets no other begin.
  bool begin() {
    std::lock_guard<std::mutex> lock(mutex);
    if (closed) return false;
    active++;
    return true;
  }
  void end() {
    std::lock_guard<std::mutex> lock(mutex);
    if (--active == 0) idle.notify_all();
  }
  void close() {
    std::unique_lock<std::mutex> lock(mutex);
    closed = true;
    idle.wait(lock, [this] { return active == 0; });
  }

 private:
  std::mutex mutex;
  std::condition_variable idle;
  int active = 0;
  bool closed = false;
};

namespace {

struct AsyncRun {
  std::shared_ptr<AsyncPort> port;
  Ref<Program> program;
  const Function* function;
  std::vector<Value> args;
  Value result;
  std::exception_ptr error;
  BufferedSink sink;
  napi_deferred deferred = nullptr;
};

// Threads of the process that run functions, as many as the pool may have; made as needed, they stay. Leaked, because they may outlive static destructors.
class Workers {
 public:
  bool post(std::function<void()> job) {
    std::lock_guard<std::mutex> lock(mutex_);
    if (idle_ <= static_cast<int>(jobs_.size()) && threads_ < get_num_threads()) {
      try {
        std::thread([this] { loop(); }).detach();
        threads_++;
      } catch (const std::system_error&) {
        if (threads_ == 0) return false;
      }
    }
    jobs_.push_back(std::move(job));
    ready_.notify_one();
    return true;
  }

 private:
  void loop() {
    std::unique_lock<std::mutex> lock(mutex_);
    for (;;) {
      idle_++;
      // The number may have been lowered since there are so many of these.
      ready_.wait(lock, [&] { return !jobs_.empty() && running_ < get_num_threads(); });
      idle_--;
      running_++;
      std::function<void()> job = std::move(jobs_.front());
      jobs_.pop_front();
      lock.unlock();
      job();
      job = nullptr;
      lock.lock();
      running_--;
      if (!jobs_.empty()) ready_.notify_one();
    }
  }
  std::mutex mutex_;
  std::condition_variable ready_;
  std::deque<std::function<void()>> jobs_;
  int idle_ = 0, threads_ = 0, running_ = 0;
};

Workers& workers() {
  static auto* instance = new Workers;
  return *instance;
}

// The device that has work for a value: kCpuDevice where there is none.
int8_t device_in(const Value& value) {
  switch (value.tag()) {
    case Tag::Tensor: return value.to_tensor().device();
    case Tag::List:
    case Tag::Tuple:
      for (const Value& item : value.is(Tag::List) ? value.to_list().items : value.to_tuple().items)
        if (int8_t device = device_in(item); device != kCpuDevice) return device;
      return kCpuDevice;
    case Tag::Dict:
      for (const auto& [key, item] : value.to_dict().entries)
        if (int8_t device = device_in(item); device != kCpuDevice) return device;
      return kCpuDevice;
    default: return kCpuDevice;
  }
}

// A thread that waits for devices, so that those that run functions go on with other calls meanwhile.
class DeviceWaiter {
 public:
  // Calls `then` when the event has happened, with the error of waiting.
  void wait(std::unique_ptr<DeviceEvent> event, std::function<void(std::exception_ptr)> then) {
    {
      std::lock_guard<std::mutex> lock(mutex_);
      if (!started_) {
        try {
          std::thread([this] { loop(); }).detach();
          started_ = true;
        } catch (const std::system_error&) {
          // Then this thread waits.
        }
      }
      if (started_) {
        jobs_.push_back({std::move(event), std::move(then)});
        ready_.notify_one();
        return;
      }
    }
    finish(Job{std::move(event), std::move(then)});
  }

 private:
  struct Job {
    std::unique_ptr<DeviceEvent> event;
    std::function<void(std::exception_ptr)> then;
  };
  static void finish(Job job) {
    std::exception_ptr error;
    try {
      job.event->wait();
    } catch (...) {
      error = std::current_exception();
    }
    job.event = nullptr;
    job.then(error);
  }
  void loop() {
    std::unique_lock<std::mutex> lock(mutex_);
    for (;;) {
      ready_.wait(lock, [&] { return !jobs_.empty(); });
      Job job = std::move(jobs_.front());
      jobs_.pop_front();
      lock.unlock();
      finish(std::move(job));
      lock.lock();
    }
  }
  std::mutex mutex_;
  std::condition_variable ready_;
  std::deque<Job> jobs_;
  bool started_ = false;
};

DeviceWaiter& device_waiter() {
  static auto* instance = new DeviceWaiter;
  return *instance;
}

void settle(Napi::Env env, AsyncRun& run) {
  Napi::HandleScope scope(env);
  Environment& environment = Environment::of(env);
  if (--run.port->pending == 0) napi_unref_threadsafe_function(env, run.port->function);
  environment.buffers->drain();
  run.args.clear();
  try {
    run.sink.deliver(environment, env);
    if (run.error) throw to_js_error(env, run.error);
    Napi::Value value;
    try {
      value = to_js(env, run.result, run.function->return_type, run.program);
    } catch (const Napi::Error&) {
      throw;
    } catch (...) {
      throw to_js_error(env, std::current_exception());
    }
    napi_resolve_deferred(env, run.deferred, value);
  } catch (const Napi::Error& error) {
    napi_reject_deferred(env, run.deferred, error.Value());
  }
}

void on_settled(napi_env env, napi_value, void*, void* data) {
  std::unique_ptr<AsyncRun> run(static_cast<AsyncRun*>(data));
  if (!env) return;
  try {
    settle(Napi::Env(env), *run);
  } catch (const Napi::Error&) {
    // A worker that is being terminated takes no values any more, and nobody waits for this one.
  }
}

}  // namespace

void close_port(AsyncPort& port) { port.function = nullptr; }

Napi::Value start_run(Napi::Env env, Environment& environment, Ref<Program> program, const Function& function, std::vector<Value> args) {
  if (!environment.port) {
    auto port = std::make_shared<AsyncPort>();
    napi_value name = Napi::String::New(env, "torchscript");
    if (napi_create_threadsafe_function(env, nullptr, nullptr, name, 0, 1, nullptr, nullptr, nullptr, on_settled, &port->function) !=
        napi_ok) {
      throw Napi::Error::New(env, "Cannot reach the event loop");
    }
    napi_unref_threadsafe_function(env, port->function);
    environment.port = port;
    // Hooks run before the environment frees anything, and before its finalizers.
    napi_add_env_cleanup_hook(
      env, [](void* data) { static_cast<AsyncPort*>(data)->close(); }, port.get());
  }
  auto run = std::make_unique<AsyncRun>();
  run->port = environment.port;
  run->program = std::move(program);
  run->function = &function;
  run->args = std::move(args);
  napi_value promise;
  napi_create_promise(env, &run->deferred, &promise);
  napi_threadsafe_function back = environment.port->function;
  napi_acquire_threadsafe_function(back);
  if (environment.port->pending++ == 0) napi_ref_threadsafe_function(env, back);
  AsyncRun* job = run.release();
  bool posted = workers().post([job, back, port = environment.port] {
    if (!port->begin()) {
      delete job;
      return;
    }
    auto deliver = [job, back, port](std::exception_ptr error) {
      if (error && !job->error) job->error = error;
      if (napi_call_threadsafe_function(back, job, napi_tsfn_blocking) == napi_ok) {
        napi_release_threadsafe_function(back, napi_tsfn_release);
      } else {
        delete job;  // the environment is going
      }
      port->end();
    };
    std::unique_ptr<DeviceEvent> event;
    try {
      ConcurrentRun counted;
      job->result = job->program->run(*job->function, job->args.data(), job->args.size(), &job->sink);
      const int8_t made_on = device_in(job->result), device = made_on == kCpuDevice ? job->program->device() : made_on;
      if (device != kCpuDevice) {
        event = require_accelerator().make_event(device);
        event->record();
      }
    } catch (...) {
      job->error = std::current_exception();
    }
    if (event && !job->error) device_waiter().wait(std::move(event), deliver);
    else deliver(nullptr);
  });
  if (!posted) {
    job->error = std::make_exception_ptr(OperatorError("Cannot start a thread"));
    napi_release_threadsafe_function(back, napi_tsfn_release);
    std::unique_ptr<AsyncRun> owned(job);
    settle(env, *owned);
  }
  return Napi::Value(env, promise);
}

}  // namespace torchscript::binding

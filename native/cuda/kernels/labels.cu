// Losses with lists of labels, bags of embeddings, fractional pooling, binary search and histograms.
// kernel: cpu-avx/loss_labels, portable/embedding, pool_adaptive, portable/search
#include "cuda/kernels/labels_params.h"
#include "cuda/kernels/rows.cuh"

using namespace torchscript::cuda;

namespace {

TS_DEVICE int64_t first_item() { return static_cast<int64_t>(blockIdx.x) * blockDim.x + threadIdx.x; }
TS_DEVICE int64_t item_step() { return static_cast<int64_t>(gridDim.x) * blockDim.x; }

template <class A> TS_DEVICE void sum_bags(const BagParams& p) {
  for (int64_t i = first_item(); i < p.bags * p.width; i += item_step()) {
    const int64_t bag = i / p.width, column = i % p.width;
    int64_t begin = p.offsets[bag], end = bag + 1 < p.noffsets ? p.offsets[bag + 1] : p.n;
    if (begin < 0) begin = 0;
    if (end > p.n) end = p.n;
    A sum = 0;
    int64_t count = 0, best = 0;
    for (int64_t k = begin; k < end; k++) {
      const int64_t index = p.indices[k];
      if (column == 0 && p.bag_of) p.bag_of[k] = bag;
      if (index == p.padding || index < 0 || index >= p.rows) continue;
      const A v = load_real<A>(p.dtype, p.table, index * p.row_stride + column * p.column_stride);
      if (p.mode == kBagMax) {
        if (count == 0 || v > sum || v != v) sum = v, best = index;
      } else {
        sum += p.weights ? v * load_real<A>(p.dtype, p.weights, k) : v;
      }
      count++;
    }
    store_real<A>(p.dtype, p.out, i, p.mode == kBagMean && count > 0 ? sum / static_cast<A>(count) : sum);
    if (p.maxima) p.maxima[i] = best;
    if (column == 0 && p.counts) p.counts[bag] = count;
  }
}

template <class A> TS_DEVICE void pool_fractional(const FractionalPoolParams& p) {
  const int64_t per_plane = p.out_sizes[0] * p.out_sizes[1] * p.out_sizes[2], in_plane = p.in[0] * p.in[1] * p.in[2];
  for (int64_t i = first_item(); i < p.planes * per_plane; i += item_step()) {
    const int64_t plane = i / per_plane;
    int64_t rest = i % per_plane, begin[3];
    for (int d = 2; d >= 0; d--) {
      const int64_t place = rest % p.out_sizes[d];
      rest /= p.out_sizes[d];
      begin[d] = 0;
      if (d < 3 - p.dims) continue;
      const int64_t sample_row = (plane / p.channels * p.sample_rows + plane % p.channels) * p.dims;
      const A sample = load_real<A>(p.dtype, p.samples, sample_row + (p.dims == 2 ? 2 - d : d));
      const int64_t last = p.in[d] - p.kernel[d];
      if (p.out_sizes[d] == 1 || place == p.out_sizes[d] - 1) begin[d] = last;
      else {
        const A alpha = static_cast<A>(last) / static_cast<A>(p.out_sizes[d] - 1);
        begin[d] = static_cast<int64_t>((static_cast<A>(place) + sample) * alpha) - static_cast<int64_t>(sample * alpha);
      }
      begin[d] = begin[d] < 0 ? 0 : begin[d] > last ? last : begin[d];
    }
    A best = -static_cast<A>(INFINITY);
    int64_t at = (begin[0] * p.in[1] + begin[1]) * p.in[2] + begin[2];
    for (int64_t z = begin[0]; z < begin[0] + p.kernel[0]; z++) {
      for (int64_t y = begin[1]; y < begin[1] + p.kernel[1]; y++) {
        for (int64_t x = begin[2]; x < begin[2] + p.kernel[2]; x++) {
          const int64_t place = (z * p.in[1] + y) * p.in[2] + x;
          const A v = load_real<A>(p.dtype, p.x, plane * in_plane + place);
          if (v > best || v != v) best = v, at = place;
        }
      }
    }
    store_real<A>(p.dtype, p.out, i, best);
    if (p.indices) p.indices[i] = at;
  }
}

// First position whose value is >= v (or > v where `right`); a NaN goes past the end.
template <class T> TS_DEVICE void search(const SearchParams& p, T value) {
  for (int64_t i = first_item(); i < p.n; i += item_step()) {
    const T v = p.values ? static_cast<const T*>(p.values)[i] : value;
    const int64_t start = p.per_row ? i / p.per_row * p.row : 0;
    int64_t low = 0, high = p.row;
    while (low < high) {
      const int64_t middle = low + (high - low) / 2;
      const int64_t place = p.order ? p.order[start + middle] : middle;
      const T at = place < 0 || place >= p.row ? T(0) : static_cast<const T*>(p.sorted)[start + place];
      if (p.right ? !(at > v) : !(at >= v)) low = middle + 1;
      else high = middle;
    }
    if (p.out_is_32) static_cast<int32_t*>(p.out)[i] = static_cast<int32_t>(low);
    else static_cast<int64_t*>(p.out)[i] = low;
  }
}

template <class T> TS_DEVICE void count_bins(const HistogramParams& p) {
  T low = p.range ? static_cast<const T*>(p.range)[0] : static_cast<T>(p.low);
  T high = p.range ? static_cast<const T*>(p.range)[1] : static_cast<T>(p.high);
  if (low == high) low -= 1, high += 1;
  for (int64_t i = first_item(); i < p.n; i += item_step()) {
    const T v = static_cast<const T*>(p.x)[i];
    if (!(v >= low && v <= high)) continue;
    int64_t bin = static_cast<int64_t>((v - low) * static_cast<T>(p.bins) / (high - low));
    if (bin > p.bins - 1) bin = p.bins - 1;
    atomicAdd(&p.counts[bin], 1ull);
  }
}

}  // namespace

// A block an item; threads share its states.
TS_GLOBAL_BOUNDS(256, 2, ctc_loss_items, const CtcParams p) {
  const int64_t item = blockIdx.x, steps = p.lengths[item], length = p.lengths[p.batch + item];
  const int64_t* labels = p.targets + p.lengths[2 * p.batch + item];
  const int64_t states = 2 * length + 1;
  const auto label = [&](int64_t s) {
    const int64_t l = s % 2 == 0 ? p.blank : labels[s / 2];
    return l < 0 || l >= p.classes ? p.blank : l;
  };
  const auto log_prob = [&](int64_t t, int64_t s) { return p.logs[(t * p.batch + item) * p.classes + label(s)]; };
  double* now = p.states + item * 2 * p.longest;
  double* next = now + p.longest;
  for (int64_t s = threadIdx.x; s < states; s += blockDim.x) now[s] = s < 2 && steps > 0 ? log_prob(0, s) : -INFINITY;
  for (int64_t t = 1; t < steps; t++) {
    __syncthreads();
    for (int64_t s = threadIdx.x; s < states; s += blockDim.x) {
      const double a = now[s], b = s > 0 ? now[s - 1] : -INFINITY;
      const double c = s > 1 && s % 2 == 1 && label(s) != label(s - 2) ? now[s - 2] : -INFINITY;
      const double top = a > b ? (a > c ? a : c) : b > c ? b : c;
      next[s] = top == -INFINITY ? top : top + log(exp(a - top) + exp(b - top) + exp(c - top)) + log_prob(t, s);
    }
    double* swapped = now;
    now = next;
    next = swapped;
  }
  __syncthreads();
  if (threadIdx.x != 0) return;
  double loss;
  if (steps == 0) {
    loss = length == 0 ? 0 : INFINITY;
  } else {
    const double last = now[states - 1], before = states > 1 ? now[states - 2] : -INFINITY, top = last > before ? last : before;
    loss = top == -INFINITY ? INFINITY : -(top + log(exp(last - top) + exp(before - top)));
  }
  p.losses[item] = loss;
}
// Losses of infinity become 0 where asked, and are divided by the lengths of targets where asked.
TS_GLOBAL_BOUNDS(256, 2, ctc_loss_finish, const CtcParams p, int32_t zero_infinity, int32_t divides) {
  for (int64_t i = first_item(); i < p.batch; i += item_step()) {
    double loss = p.losses[i];
    if (zero_infinity && loss == INFINITY) loss = 0;
    const int64_t length = p.lengths[p.batch + i];
    p.losses[i] = divides ? loss / static_cast<double>(length > 1 ? length : 1) : loss;
  }
}

// A block a row.
TS_GLOBAL_BOUNDS(256, 2, multilabel_margin, const MultilabelParams p) {
  for (int64_t r = blockIdx.x; r < p.rows; r += gridDim.x) {
    const double* row = p.x + r * p.classes;
    const int64_t* labels = p.targets + r * p.classes;
    double* mine = p.is_target + r * p.classes;
    __syncthreads();
    for (int64_t i = threadIdx.x; i < p.classes; i += blockDim.x) mine[i] = 0;
    __syncthreads();
    int64_t count = 0;
    while (count < p.classes && labels[count] >= 0) count++;
    for (int64_t i = threadIdx.x; i < count; i += blockDim.x)
      if (labels[i] < p.classes) mine[labels[i]] = 1;
    __syncthreads();
    double sum = 0;
    for (int64_t j = threadIdx.x; j < p.classes; j += blockDim.x) {
      if (mine[j] != 0) continue;
      for (int64_t i = 0; i < count; i++) {
        const double margin = labels[i] < p.classes ? 1 - row[labels[i]] + row[j] : 0;
        sum += margin < 0 ? 0 : margin;
      }
    }
    sum = group_fold(sum, AddOf<double>{});
    if (threadIdx.x == 0) p.losses[r] = sum / static_cast<double>(p.classes);
  }
}
TS_GLOBAL_BOUNDS(256, 2, loss_sum, const LossSumParams p) {
  double sum = 0;
  for (int64_t i = threadIdx.x; i < p.n; i += blockDim.x) sum += p.losses[i];
  sum = group_fold(sum, AddOf<double>{});
  if (threadIdx.x == 0) *p.out = sum * p.factor;
}

TS_GLOBAL_BOUNDS(256, 2, embedding_bag_f32, const BagParams p) { sum_bags<float>(p); }
TS_GLOBAL_BOUNDS(256, 2, embedding_bag_f64, const BagParams p) { sum_bags<double>(p); }
TS_GLOBAL_BOUNDS(256, 2, fractional_pool_f32, const FractionalPoolParams p) { pool_fractional<float>(p); }
TS_GLOBAL_BOUNDS(256, 2, fractional_pool_f64, const FractionalPoolParams p) { pool_fractional<double>(p); }
TS_GLOBAL_BOUNDS(256, 2, search_f64, const SearchParams p) { search<double>(p, p.value); }
TS_GLOBAL_BOUNDS(256, 2, search_i64, const SearchParams p) { search<int64_t>(p, p.whole_value); }
TS_GLOBAL_BOUNDS(256, 2, histogram_f32, const HistogramParams p) { count_bins<float>(p); }
TS_GLOBAL_BOUNDS(256, 2, histogram_f64, const HistogramParams p) { count_bins<double>(p); }

// One block: the lowest and the highest of n values.
TS_GLOBAL_BOUNDS(256, 2, histogram_range_f32, const float* x, int64_t n, float* range) {
  float low = x[0], high = x[0];
  for (int64_t i = threadIdx.x; i < n; i += blockDim.x) low = smaller(x[i], low), high = larger(x[i], high);
  low = -group_fold(-low, LargerOf<float>{});
  high = group_fold(high, LargerOf<float>{});
  if (threadIdx.x == 0) range[0] = low, range[1] = high;
}
TS_GLOBAL_BOUNDS(256, 2, histogram_range_f64, const double* x, int64_t n, double* range) {
  double low = x[0], high = x[0];
  for (int64_t i = threadIdx.x; i < n; i += blockDim.x) low = smaller(x[i], low), high = larger(x[i], high);
  low = -group_fold(-low, LargerOf<double>{});
  high = group_fold(high, LargerOf<double>{});
  if (threadIdx.x == 0) range[0] = low, range[1] = high;
}

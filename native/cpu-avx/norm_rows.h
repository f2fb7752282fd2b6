// The row operations of norm_inner.h for float and double.
#pragma once
#include <cmath>

#include "cpu-avx/norm_inner.h"

namespace torchscript {

inline double row_sum(const float* x, int64_t n) { return norm_table().sum(x, n); }
inline double row_sum(const double* x, int64_t n) {
  double s[4] = {};
  int64_t i = 0;
  for (; i + 4 <= n; i += 4)
    for (int c = 0; c < 4; c++) s[c] += x[i + c];
  for (; i < n; i++) s[0] += x[i];
  return (s[0] + s[1]) + (s[2] + s[3]);
}
inline double row_squares(const float* x, int64_t n, double mean) { return norm_table().sum_squares(x, n, static_cast<float>(mean)); }
inline double row_squares(const double* x, int64_t n, double mean) {
  double s[4] = {};
  int64_t i = 0;
  for (; i + 4 <= n; i += 4)
    for (int c = 0; c < 4; c++) s[c] += (x[i + c] - mean) * (x[i + c] - mean);
  for (; i < n; i++) s[0] += (x[i] - mean) * (x[i] - mean);
  return (s[0] + s[1]) + (s[2] + s[3]);
}
inline void row_affine(const float* x, int64_t n, double mean, double scale, double shift, float* out) {
  norm_table().affine(x, n, static_cast<float>(mean), static_cast<float>(scale), static_cast<float>(shift), out);
}
inline void row_affine(const double* x, int64_t n, double mean, double scale, double shift, double* out) {
  for (int64_t i = 0; i < n; i++) out[i] = (x[i] - mean) * scale + shift;
}
inline void rows_affine(const float* x, int64_t rows, int64_t channels, const float* mean, const float* scale, const float* shift,
                        float* out) {
  norm_table().affine_channels(x, rows, channels, mean, scale, shift, out);
}
inline void rows_affine(const double* x, int64_t rows, int64_t channels, const double* mean, const double* scale, const double* shift,
                        double* out) {
  for (int64_t i = 0; i < rows * channels; i++) out[i] = (x[i] - mean[i % channels]) * scale[i % channels] + shift[i % channels];
}
inline void row_normalize(const float* x, int64_t n, double mean, double scale, const float* gamma, const float* beta, float* out) {
  norm_table().normalize(x, n, static_cast<float>(mean), static_cast<float>(scale), gamma, beta, out);
}
inline void row_normalize(const double* x, int64_t n, double mean, double scale, const double* gamma, const double* beta, double* out) {
  for (int64_t i = 0; i < n; i++) out[i] = (x[i] - mean) * scale * (gamma ? gamma[i] : 1.0) + (beta ? beta[i] : 0.0);
}
inline void rows_softmax(const float* x, int64_t rows, int64_t n, bool log, float* out) {
  if (!log) return norm_table().softmax(x, rows, n, out);
  for (int64_t r = 0; r < rows; r++) norm_table().log_softmax(x + r * n, n, out + r * n);
}
inline void column_softmax(const float* x, int64_t n, int64_t stride, int lanes, bool log, float* out) {
  norm_table().softmax_columns(x, n, stride, lanes, log, out);
}
inline void column_softmax(const double* x, int64_t n, int64_t stride, int lanes, bool log, double* out) {
  for (int l = 0; l < lanes; l++) {
    double m = -INFINITY, total = 0;
    for (int64_t i = 0; i < n; i++) m = x[i * stride + l] > m ? x[i * stride + l] : m;
    for (int64_t i = 0; i < n; i++) {
      const double e = std::exp(x[i * stride + l] - m);
      total += e;
      if (!log) out[i * stride + l] = e;
    }
    const double tail = std::log(total);
    for (int64_t i = 0; i < n; i++) out[i * stride + l] = log ? x[i * stride + l] - m - tail : out[i * stride + l] / total;
  }
}
inline void rows_softmax(const double* x, int64_t rows, int64_t n, bool log, double* out) {
  for (int64_t r = 0; r < rows; r++) column_softmax(x + r * n, n, 1, 1, log, out + r * n);
}

// Mean and biased variance.
struct Moments {
  double mean, variance;
};
template <class T> Moments row_moments(const T* x, int64_t n) {
  const double mean = row_sum(x, n) / static_cast<double>(n);
  // The mean is rounded to T before it is subtracted; the second term takes that rounding back out.
  const T rounded = static_cast<T>(mean);
  const double lost = mean - static_cast<double>(rounded);
  return {mean, row_squares(x, n, static_cast<double>(rounded)) / static_cast<double>(n) - lost * lost};
}

}  // namespace torchscript

// The transforms of conv/winograd_inner.h on vectors, in one dimension and in two. Only for units under isa/.
#pragma once
#include "cpu-avx/vec.h"

namespace torchscript {
namespace TS_ISA {

// One dimension of B^T d.
TS_INLINE void to_points(const VecF (&d)[6], VecF (&v)[6]) {
  const VecF a(0.70710678f), b(1.41421356f), sum(2.5f), two(2.0f), half(0.5f);
  const VecF e1 = fnma(two, d[2], d[4]), o1 = a * fnma(two, d[1], d[3]), e2 = fnma(half, d[2], d[4]), o2 = b * fnma(half, d[1], d[3]);
  v[0] = fnma(sum, d[2], d[0] + d[4]);
  v[1] = e1 + o1;
  v[2] = e1 - o1;
  v[3] = e2 + o2;
  v[4] = e2 - o2;
  v[5] = fnma(sum, d[3], d[1] + d[5]);
}
TS_INLINE void to_points(const VecF (&d)[4], VecF (&v)[4]) {
  v[0] = d[0] - d[2];
  v[1] = d[1] + d[2];
  v[2] = d[2] - d[1];
  v[3] = d[3] - d[1];
}
// F(2, 2) with 0, -1 and infinity.
TS_INLINE void to_points(const VecF (&d)[3], VecF (&v)[3]) {
  v[0] = d[0] - d[1];
  v[1] = d[1];
  v[2] = d[2] - d[1];
}
// The same of a kernel of one tap, which is zero at infinity.
TS_INLINE void to_points(const VecF (&d)[2], VecF (&v)[2]) {
  v[0] = d[0] - d[1];
  v[1] = d[1];
}
// One dimension of A^T m.
TS_INLINE void from_points(const VecF (&m)[6], VecF (&y)[4]) {
  const VecF a(0.70710678f), b(1.41421356f), a3(0.35355339f), b3(2.82842712f), two(2.0f), half(0.5f);
  const VecF s1 = m[1] + m[2], d1 = m[1] - m[2], s2 = m[3] + m[4], d2 = m[3] - m[4];
  y[0] = m[0] + s1 + s2;
  y[1] = fma(a, d1, b * d2);
  y[2] = fma(half, s1, two * s2);
  y[3] = fma(a3, d1, fma(b3, d2, m[5]));
}
// F(3, 4) has the points of F(4, 3).
TS_INLINE void from_points(const VecF (&m)[6], VecF (&y)[3]) {
  const VecF a(0.70710678f), b(1.41421356f), two(2.0f), half(0.5f);
  const VecF s1 = m[1] + m[2], d1 = m[1] - m[2], s2 = m[3] + m[4], d2 = m[3] - m[4];
  y[0] = m[0] + s1 + s2;
  y[1] = fma(a, d1, b * d2);
  y[2] = fma(half, s1, fma(two, s2, m[5]));
}
TS_INLINE void from_points(const VecF (&m)[4], VecF (&y)[2]) {
  y[0] = m[0] + m[1] + m[2];
  y[1] = m[1] - m[2] + m[3];
}
TS_INLINE void from_points(const VecF (&m)[3], VecF (&y)[2]) {
  y[0] = m[0] + m[1];
  y[1] = m[1] + m[2];
}

// V = B^T d B of a tile of Rows x N inputs: load(i, j) gives one, store(i, j, v) takes a point.
template <int Rows, int N, class Load, class Store> TS_INLINE void tile_to_points(const Load& load, const Store& store) {
  VecF t[Rows][N];
#pragma GCC unroll 6
  for (int j = 0; j < N; j++) {
    VecF d[Rows], p[Rows];
#pragma GCC unroll 6
    for (int i = 0; i < Rows; i++) d[i] = load(i, j);
    to_points(d, p);
#pragma GCC unroll 6
    for (int i = 0; i < Rows; i++) t[i][j] = p[i];
  }
#pragma GCC unroll 6
  for (int i = 0; i < Rows; i++) {
    VecF p[N];
    to_points(t[i], p);
#pragma GCC unroll 6
    for (int j = 0; j < N; j++) store(i, j, p[j]);
  }
}
// The first `rows` rows of Y = A^T m A of a tile of N x N points: load(i, j) gives one, store(i, y) takes row i of M outputs.
template <int M, int N, class Load, class Store> TS_INLINE void tile_from_points(int rows, const Load& load, const Store& store) {
  VecF t[M][N];
#pragma GCC unroll 6
  for (int j = 0; j < N; j++) {
    VecF d[N], y[M];
#pragma GCC unroll 6
    for (int i = 0; i < N; i++) d[i] = load(i, j);
    from_points(d, y);
#pragma GCC unroll 4
    for (int i = 0; i < M; i++) t[i][j] = y[i];
  }
#pragma GCC unroll 4
  for (int i = 0; i < M; i++) {
    if (i >= rows) break;
    VecF y[M];
    from_points(t[i], y);
    store(i, y);
  }
}

}  // namespace TS_ISA
}  // namespace torchscript

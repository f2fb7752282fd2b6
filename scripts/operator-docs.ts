/*
 * One line on what an operator computes, for the documentation of its function and method. In-place operators and aliases follow from these.
 */

const lines = `
abs: The absolute value of each element.
acos: The inverse cosine of each element.
acosh: The inverse hyperbolic cosine of each element.
adaptive_avg_pool1d: Averages over as many windows as the output has places.
adaptive_avg_pool2d: Averages over as many windows as the output has places.
adaptive_avg_pool3d: Averages over as many windows as the output has places.
adaptive_max_pool1d: Maxima of as many windows as the output has places, and where they are.
adaptive_max_pool2d: Maxima of as many windows as the output has places, and where they are.
adaptive_max_pool3d: Maxima of as many windows as the output has places, and where they are.
add: self + alpha * other.
addbmm: beta * self + alpha * the sum of the products of the matrices in two batches.
addcdiv: self + value * tensor1 / tensor2.
addcmul: self + value * tensor1 * tensor2.
addmm: beta * self + alpha * (mat1 @ mat2).
addmv: beta * self + alpha * (mat @ vec).
addr: beta * self + alpha * the outer product of two vectors.
adjoint: The last two dimensions exchanged, and conjugated.
affine_grid_generator: The sampling places of affine maps, for gridSampler.
alias: Another tensor on the same memory.
all: Whether all elements are true.
allclose: Whether all elements of two tensors are close to each other.
alpha_dropout: Dropout that keeps mean and deviation of selu networks.
amax: The maxima along dimensions.
amin: The minima along dimensions.
aminmax: Minima and maxima at once.
angle: The angle of each complex element.
any: Whether any element is true.
arange: Numbers from start up to but without end.
argmax: Where the maximum is.
argmin: Where the minimum is.
argsort: The indices that sort the elements.
argwhere: The indices of the elements that are not zero, one row each.
as_strided: A view with these sizes and strides on the same memory.
as_strided_scatter: A copy with the elements of a strided view replaced.
asin: The inverse sine of each element.
asinh: The inverse hyperbolic sine of each element.
atan: The inverse tangent of each element.
atan2: The angle of each point (other, self).
atanh: The inverse hyperbolic tangent of each element.
atleast_1d: A view with at least one dimension.
atleast_2d: A view with at least two dimensions.
atleast_3d: A view with at least three dimensions.
avg_pool1d: Averages over windows.
avg_pool2d: Averages over windows.
avg_pool3d: Averages over windows.
baddbmm: beta * self + alpha * the products of the matrices in two batches.
bartlett_window: A triangular window.
batch_norm: Normalizes each channel by its mean and variance.
bernoulli: Ones with the probability that each element says, else zeros.
bilinear: input1 @ weight @ input2 + bias for each row.
binary_cross_entropy: The cross entropy of probabilities and targets between 0 and 1.
binary_cross_entropy_with_logits: The cross entropy of the sigmoid of the input and targets between 0 and 1.
bincount: How often each non-negative integer occurs.
bitwise_and: The bits that are set in both.
bitwise_left_shift: The bits shifted towards the high end.
bitwise_not: The bits inverted.
bitwise_or: The bits that are set in either.
bitwise_right_shift: The bits shifted towards the low end.
bitwise_xor: The bits that differ.
blackman_window: A Blackman window.
block_diag: A matrix with these matrices on its diagonal.
bmm: The matrix products of two batches.
broadcast_tensors: Views of all tensors in their common shape.
broadcast_to: A view in a shape that the tensor broadcasts to.
bucketize: The index of the bucket that each element falls into.
cartesian_prod: All combinations of the elements of vectors.
cat: Tensors joined along a dimension.
cauchy: Random numbers of the Cauchy distribution.
cdist: The distances between all rows of two tensors.
ceil: The smallest integer that is not less than each element.
celu: x where positive, else alpha * (exp(x / alpha) - 1).
chain_matmul: The product of matrices in the cheapest order.
channel_shuffle: The channels of groups interleaved.
cholesky_inverse: The inverse of a matrix from its Cholesky factor.
cholesky_solve: Solves equations by the Cholesky factor of their matrix.
chunk: Views of equal parts along a dimension.
clamp: Elements limited to the range from min to max.
clamp_max: Elements that are at most max.
clamp_min: Elements that are at least min.
col2im: Sums overlapping blocks back into an image.
column_stack: Tensors as columns beside each other.
combinations: All combinations of r elements of a vector.
complex: A complex tensor of real and imaginary parts.
conj: A view with the complex elements conjugated.
conj_physical: The complex conjugate of each element.
constant_pad_nd: Pads with a constant.
conv1d: Correlates signals with filters.
conv2d: Correlates images with filters.
conv3d: Correlates volumes with filters.
conv_tbc: Correlates signals whose time comes first with filters.
conv_transpose1d: The transpose of a convolution, which upsamples.
conv_transpose2d: The transpose of a convolution, which upsamples.
conv_transpose3d: The transpose of a convolution, which upsamples.
convolution: A convolution of any number of dimensions, or its transpose.
copy: The elements of src in the shape of self.
copysign: The size of self with the sign of other.
corrcoef: The correlation coefficients of the rows.
cos: The cosine of each element.
cosh: The hyperbolic cosine of each element.
cosine_embedding_loss: A loss on the angle between two vectors.
cosine_similarity: The cosine of the angle between vectors.
count_nonzero: How many elements are not zero.
cov: The covariances of the rows.
cpu: The tensor in the memory of the processor.
cross: The cross product of vectors of three elements.
cross_entropy_loss: The cross entropy of logits and classes.
ctc_loss: The connectionist temporal classification loss.
cuda: The tensor in the memory of a CUDA device.
cummax: Cumulative maxima and where they are.
cummin: Cumulative minima and where they are.
cumprod: Cumulative products.
cumsum: Cumulative sums.
cumulative_trapezoid: Cumulative integrals by the trapezoidal rule.
deg2rad: Degrees as radians.
dequantize: The floats that quantized integers stand for.
det: The determinant.
detach: A tensor on the same memory that asks for no gradients.
diag: A vector as a diagonal matrix, or the diagonal of a matrix.
diag_embed: Vectors as the diagonals of matrices.
diagflat: All elements as the diagonal of a matrix.
diagonal: A view of the diagonal of two dimensions.
diagonal_scatter: A copy with the diagonal replaced.
diff: Differences of neighbours, n times.
digamma: The logarithmic derivative of the gamma function.
dist: The p-norm of the difference.
div: self / other; rounded towards zero or down where roundingMode says so.
dot: The dot product of two vectors.
dropout: Zeros elements at random in training, and scales the rest.
dsplit: Parts along the third dimension.
dstack: Tensors joined along the third dimension.
einsum: Products and sums by Einstein's notation.
element_size: Bytes of one element.
elu: x where positive, else alpha * (exp(x) - 1).
embedding: The rows of the weight that indices name.
embedding_bag: Sums, means or maxima of bags of rows of the weight.
embedding_renorm: Scales down the named rows whose norm is too large.
empty: A tensor of undefined contents.
empty_like: A tensor of undefined contents in the shape of another.
empty_strided: A tensor of undefined contents with these strides.
eq: Whether elements are equal.
equal: Whether two tensors have the same shape and elements.
erf: The error function of each element.
erfc: One minus the error function of each element.
erfinv: The inverse of the error function.
exp: e to the power of each element.
exp2: 2 to the power of each element.
expand: A view in which dimensions of size 1 repeat.
expand_as: A view in the shape of another tensor.
expm1: exp(x) - 1, exact near zero.
exponential: Random numbers of the exponential distribution.
eye: Ones on the diagonal, zeros elsewhere.
fake_quantize_per_channel_affine: Rounds to what quantized channels can say.
fake_quantize_per_tensor_affine: Rounds to what a quantized tensor can say.
fft_fft: The discrete Fourier transform.
fft_fft2: The discrete Fourier transform of two dimensions.
fft_fftn: The discrete Fourier transform of all dimensions.
fft_fftshift: Moves the zero frequency to the middle.
fft_hfft: The Fourier transform of a signal with Hermitian symmetry.
fft_ifft: The inverse discrete Fourier transform.
fft_ifft2: The inverse discrete Fourier transform of two dimensions.
fft_ifftn: The inverse discrete Fourier transform of all dimensions.
fft_ifftshift: Moves the zero frequency back from the middle.
fft_ihfft: The inverse of hfft.
fft_irfft: The inverse of rfft.
fft_irfft2: The inverse of rfft2.
fft_irfftn: The inverse of rfftn.
fft_rfft: The discrete Fourier transform of real elements.
fft_rfft2: The discrete Fourier transform of real elements in two dimensions.
fft_rfftn: The discrete Fourier transform of real elements in all dimensions.
fill: All elements the same.
flatten: Several dimensions as one.
flip: The order along dimensions reversed.
fliplr: The columns in reverse order.
flipud: The rows in reverse order.
float_power: Powers in double precision.
floor: The largest integer that is not more than each element.
floor_divide: self / other rounded down.
fmax: The larger elements; NaN loses.
fmin: The smaller elements; NaN loses.
fmod: The remainder with the sign of self.
frac: The part behind the point.
frexp: Mantissa and exponent of each element.
frobenius_norm: The root of the sum of squares.
full: A tensor of one value.
full_like: A tensor of one value in the shape of another.
gather: Elements picked along a dimension by an index for each.
gcd: The greatest common divisor.
ge: self >= other.
gelu: The Gaussian error linear unit.
geometric: Random numbers of the geometric distribution.
geqrf: A QR decomposition as Householder reflectors.
glu: The first half times the sigmoid of the second half.
gradient: Numerical gradients by central differences.
grid_sampler: Values at places between the pixels.
group_norm: Normalizes groups of channels.
gru: Gated recurrent units over a sequence.
gru_cell: One step of gated recurrent units.
gt: self > other.
hamming_window: A Hamming window.
hann_window: A Hann window.
hardshrink: Zeros elements between -lambd and lambd.
hardsigmoid: A sigmoid of straight lines.
hardswish: x times hardsigmoid(x).
hardtanh: Elements limited to the range from minVal to maxVal.
heaviside: 0 below zero, values at zero, 1 above.
hinge_embedding_loss: A loss on whether two inputs are alike.
histc: How many elements fall into each of equal bins.
histogram: How many elements fall into each bin.
histogramdd: How many points, rows of the last dimension, fall into each bin of a grid.
hsplit: Parts along the second dimension.
hstack: Tensors joined along the second dimension.
huber_loss: Quadratic for small differences, linear for large ones.
hypot: The root of the sum of two squares.
i0: The modified Bessel function of order 0.
igamma: The regularized lower incomplete gamma function.
igammac: The regularized upper incomplete gamma function.
im2col: Blocks of an image as columns.
imag: The imaginary parts.
index_add: Adds slices at indices of a dimension.
index_copy: Replaces slices at indices of a dimension.
index_fill: Fills slices at indices of a dimension.
index_put: Replaces elements at indices.
index_reduce: Reduces slices into indices of a dimension.
index_select: Slices at indices of a dimension.
inner: The dot products along the last dimensions.
instance_norm: Normalizes each channel of each sample.
int_repr: The integers of a quantized tensor.
inverse: The inverse of a matrix.
is_complex: Whether the dtype is complex.
is_floating_point: Whether the dtype is a float.
is_nonzero: Whether the single element is not zero.
is_same_size: Whether two shapes are the same.
isclose: Whether elements are close to each other.
isfinite: Whether elements are finite.
isin: Whether elements are among the test elements.
isinf: Whether elements are infinite.
isnan: Whether elements are NaN.
isneginf: Whether elements are minus infinity.
isposinf: Whether elements are infinity.
isreal: Whether elements have no imaginary part.
istft: The inverse of stft.
kaiser_window: A Kaiser window.
kl_div: The Kullback-Leibler divergence.
kron: The Kronecker product.
kthvalue: The k-th smallest element and where it is.
l1_loss: The mean absolute difference.
layer_norm: Normalizes over the last dimensions.
lcm: The least common multiple.
ldexp: self * 2 ** other.
le: self <= other.
leaky_relu: x where positive, else negativeSlope * x.
lerp: self + weight * (end - self).
lgamma: The logarithm of the gamma function.
linalg_cholesky: The Cholesky factor.
linalg_cond: The condition number.
linalg_cross: The cross product of vectors of three elements.
linalg_det: The determinant.
linalg_diagonal: A view of the diagonal.
linalg_eig: Eigenvalues and eigenvectors.
linalg_eigh: Eigenvalues and eigenvectors of a Hermitian matrix.
linalg_eigvals: Eigenvalues.
linalg_eigvalsh: Eigenvalues of a Hermitian matrix.
linalg_inv: The inverse of a matrix.
linalg_lstsq: Least squares solutions.
linalg_lu: A decomposition into a permutation, a lower and an upper triangle.
linalg_matmul: The matrix product.
linalg_matrix_exp: The exponential of a matrix.
linalg_matrix_norm: A norm of matrices.
linalg_matrix_power: A matrix to an integer power.
linalg_matrix_rank: The rank of a matrix.
linalg_multi_dot: The product of matrices in the cheapest order.
linalg_norm: A norm of vectors or matrices.
linalg_pinv: The pseudoinverse.
linalg_qr: A decomposition into an orthogonal matrix and an upper triangle.
linalg_slogdet: Sign and logarithm of the determinant.
linalg_solve: Solves linear equations.
linalg_solve_triangular: Solves equations of a triangular matrix.
linalg_svd: The singular value decomposition.
linalg_svdvals: Singular values.
linalg_tensorinv: The inverse of a tensor as a map.
linalg_tensorsolve: Solves equations of tensors.
linalg_vander: A Vandermonde matrix.
linalg_vecdot: Dot products along a dimension.
linalg_vector_norm: A norm of vectors.
linear: input @ weight transposed + bias.
linspace: Numbers at equal distances from start to end.
log: The natural logarithm of each element.
log10: The logarithm of each element to base 10.
log1p: log(1 + x), exact near zero.
log2: The logarithm of each element to base 2.
log_normal: Random numbers whose logarithms are normal.
log_sigmoid: The logarithm of the sigmoid.
log_softmax: The logarithm of the softmax along a dimension.
logaddexp: log(exp(self) + exp(other)).
logaddexp2: log2(2 ** self + 2 ** other).
logcumsumexp: The logarithm of cumulative sums of exponentials.
logdet: The logarithm of the determinant.
logical_and: Whether both elements are true.
logical_not: Whether elements are false.
logical_or: Whether either element is true.
logical_xor: Whether just one of the elements is true.
logit: The inverse of the sigmoid.
logspace: Numbers whose logarithms are at equal distances.
logsumexp: The logarithm of the sum of exponentials.
lstm: Long short-term memory over a sequence.
lstm_cell: One step of long short-term memory.
lt: self < other.
lu_solve: Solves equations by an LU decomposition.
lu_unpack: The factors of an LU decomposition.
margin_ranking_loss: A loss on which of two inputs is larger.
masked_fill: Elements under the mask replaced by a value.
masked_scatter: Elements under the mask replaced by those of source in turn.
masked_select: The elements under the mask.
matmul: The matrix product; of batches too.
matrix_exp: The exponential of a matrix.
matrix_power: A matrix to an integer power.
max: The maximum; along a dimension also where it is; of two tensors the larger elements.
max_pool1d: Maxima of windows.
max_pool1d_with_indices: Maxima of windows and where they are.
max_pool2d: Maxima of windows.
max_pool2d_with_indices: Maxima of windows and where they are.
max_pool3d: Maxima of windows.
max_pool3d_with_indices: Maxima of windows and where they are.
max_unpool2d: Puts maxima back where they were.
max_unpool3d: Puts maxima back where they were.
maximum: The larger elements; NaN wins.
mean: The mean.
median: The median; of an even number the lower of the two in the middle.
meshgrid: Grids of the coordinates in vectors.
min: The minimum; along a dimension also where it is; of two tensors the smaller elements.
minimum: The smaller elements; NaN wins.
mish: x * tanh(softplus(x)).
mm: The product of two matrices.
mode: The most frequent element and where it is.
moveaxis: Dimensions moved to other places.
movedim: Dimensions moved to other places.
mse_loss: The mean squared difference.
msort: Sorted along the first dimension.
mul: self * other.
multi_margin_loss: A hinge loss of classes.
multilabel_margin_loss: A hinge loss of several classes.
multinomial: Indices drawn with the probabilities that rows say.
mv: The product of a matrix and a vector.
mvlgamma: The logarithm of the multivariate gamma function.
nan_to_num: NaN and infinities replaced by numbers.
nanmean: The mean of the elements that are not NaN.
nanmedian: The median of the elements that are not NaN.
nanquantile: The quantiles of the elements that are not NaN.
nansum: The sum of the elements that are not NaN.
narrow: A view of a range of a dimension.
native_batch_norm: batchNorm with the mean and the inverse deviation it used.
native_dropout: dropout with its mask.
native_group_norm: groupNorm with the mean and the inverse deviation it used.
native_layer_norm: layerNorm with the mean and the inverse deviation it used.
ne: self != other.
neg: The negative of each element.
new_empty: A tensor of undefined contents with the dtype of another.
new_empty_strided: A tensor of undefined contents with these strides and the dtype of another.
new_full: A tensor of one value with the dtype of another.
new_ones: Ones with the dtype of another tensor.
new_zeros: Zeros with the dtype of another tensor.
nextafter: The next floating-point number towards other.
nll_loss: The negative log likelihood of classes.
nll_loss_nd: The negative log likelihood of classes, of any number of dimensions.
nonzero: The indices of the elements that are not zero, one row each.
nonzero_numpy: The indices of the elements that are not zero, a tensor for each dimension.
nonzero_static: nonzero with a fixed number of rows.
norm: A norm of all elements or along dimensions.
normal: Random numbers of the normal distribution.
nuclear_norm: The sum of the singular values.
numel: How many elements there are.
one_hot: Indices as rows with a single one.
ones: A tensor of ones.
ones_like: Ones in the shape of another tensor.
ormqr: A product with the orthogonal matrix of Householder reflectors.
outer: The outer product of two vectors.
pad: Pads with a constant or with the tensor's own elements.
pairwise_distance: The distances between the rows of two tensors.
pdist: The distances between all rows.
permute: A view with the dimensions in another order.
pinverse: The pseudoinverse.
pixel_shuffle: Channels as pixels of a larger image.
pixel_unshuffle: Pixels as channels of a smaller image.
poisson_nll_loss: The negative log likelihood of Poisson distributed targets.
polar: Complex numbers of absolute value and angle.
polygamma: The n-th derivative of digamma.
positive: The tensor itself.
pow: self to the power of exponent.
prelu: x where positive, else weight * x.
prod: The product.
put: Replaces elements by their index in the flat tensor.
quantile: Quantiles.
quantize_per_channel: Floats as integers with a scale for each channel.
quantize_per_tensor: Floats as integers with a scale.
quantize_per_tensor_dynamic: Floats as integers with the scale that fits them.
rad2deg: Radians as degrees.
rand: Random numbers from 0 up to but without 1.
rand_like: Random numbers from 0 up to but without 1 in the shape of another tensor.
randint: Random integers from low up to but without high.
randint_like: Random integers in the shape of another tensor.
randn: Random numbers of the standard normal distribution.
randn_like: Random normal numbers in the shape of another tensor.
random: Random numbers over the range of the dtype.
randperm: A random permutation of the integers from 0.
range: Numbers from start to end, both included.
ravel: All elements in one dimension.
real: The real parts.
reciprocal: 1 / x.
reflection_pad1d: Pads by reflection at the edges.
reflection_pad2d: Pads by reflection at the edges.
reflection_pad3d: Pads by reflection at the edges.
relu: x where positive, else 0.
relu6: Elements limited to the range from 0 to 6.
remainder: The remainder with the sign of other.
renorm: Scales down the slices whose norm is too large.
repeat: The tensor repeated along its dimensions.
repeat_interleave: Each element repeated.
replication_pad1d: Pads with the elements at the edges.
replication_pad2d: Pads with the elements at the edges.
replication_pad3d: Pads with the elements at the edges.
reshape: The same elements in another shape; a view where that can be.
reshape_as: The same elements in the shape of another tensor.
resolve_conj: With a pending conjugation done.
resolve_neg: With a pending negation done.
result_type: The dtype that an operation of two operands gives.
rms_norm: Normalizes by the root of the mean square.
rnn_relu: A recurrent network with relu.
rnn_tanh: A recurrent network with tanh.
roll: Elements moved along dimensions, those that fall off put in at the other end.
rot90: Rotated by right angles.
round: The nearest integer, ties to even.
rrelu: leakyRelu with a random slope in training.
rsqrt: 1 / sqrt(x).
rsub: other - alpha * self.
scaled_dot_product_attention: Attention: softmax(query @ key transposed * scale + mask) @ value.
scatter: Elements put along a dimension at an index for each.
scatter_add: Elements added along a dimension at an index for each.
scatter_reduce: Elements reduced along a dimension at an index for each.
searchsorted: Where elements would go in sorted sequences.
segment_reduce: Reductions of segments of a dimension.
select: A view of one index of a dimension.
select_scatter: A copy with one index of a dimension replaced.
selu: The scaled exponential linear unit.
sgn: The sign; of complex elements their direction.
sigmoid: 1 / (1 + exp(-x)).
sign: -1, 0 or 1.
signbit: Whether the sign bit is set.
silu: x * sigmoid(x).
sin: The sine of each element.
sinc: sin(pi x) / (pi x).
sinh: The hyperbolic sine of each element.
slice: A view of a range of a dimension with a step.
slice_scatter: A copy with a range of a dimension replaced.
slogdet: Sign and logarithm of the determinant.
smooth_l1_loss: Quadratic for differences below beta, linear for others.
soft_margin_loss: A logistic loss of two classes.
softmax: Exponentials along a dimension, scaled to the sum 1.
softplus: log(1 + exp(beta x)) / beta.
softshrink: Elements moved towards zero by lambd.
sort: Sorted elements and where they were.
split: Views of parts of this size along a dimension.
split_with_sizes: Views of parts of these sizes along a dimension.
sqrt: The square root of each element.
square: The square of each element.
squeeze: A view without dimensions of size 1.
stack: Tensors joined along a new dimension.
std: The standard deviation.
std_mean: The standard deviation and the mean.
stft: The short-time Fourier transform.
sub: self - alpha * other.
sum: The sum.
sum_to_size: Sums over the dimensions that broadcasting would repeat.
svd: The singular value decomposition.
swapaxes: A view with two dimensions exchanged.
swapdims: A view with two dimensions exchanged.
t: A matrix transposed.
take: Elements by their index in the flat tensor.
take_along_dim: Elements picked along a dimension by an index for each.
tan: The tangent of each element.
tanh: The hyperbolic tangent of each element.
tensor_split: Views of parts along a dimension.
tensordot: The product over several dimensions.
threshold: Elements that are not above the threshold replaced by value.
tile: The tensor repeated.
to: The tensor in another dtype, device or memory format; itself where nothing changes.
topk: The k largest elements and where they are.
trace: The sum of the diagonal of a matrix.
transpose: A view with two dimensions exchanged.
trapezoid: The integral by the trapezoidal rule.
triangular_solve: Solves equations of a triangular matrix.
tril: The lower triangle; the rest is zero.
tril_indices: The indices of a lower triangle.
triplet_margin_loss: A loss on the distances to a like and an unlike example.
triu: The upper triangle; the rest is zero.
triu_indices: The indices of an upper triangle.
true_divide: self / other.
trunc: The elements without the part behind the point.
type_as: The tensor in the dtype of another.
unbind: Views of all indices of a dimension.
unflatten: A dimension as several.
unfold: A view of windows along a dimension.
uniform: Random numbers of the uniform distribution.
unique_consecutive: Elements without their repetitions in a row.
unique_dim: The slices of a dimension that differ.
unsqueeze: A view with a new dimension of size 1.
upsample_bicubic2d: An image in another size by cubic interpolation.
upsample_bilinear2d: An image in another size by linear interpolation.
upsample_linear1d: A signal in another size by linear interpolation.
upsample_nearest1d: A signal in another size, the nearest elements.
upsample_nearest2d: An image in another size, the nearest elements.
upsample_nearest3d: A volume in another size, the nearest elements.
upsample_trilinear3d: A volume in another size by linear interpolation.
vander: A Vandermonde matrix.
var: The variance.
var_mean: The variance and the mean.
vdot: The dot product with the first vector conjugated.
view: The same elements in another shape, on the same memory; or their bits as another dtype.
view_as: The same elements in the shape of another tensor.
view_as_complex: Pairs of floats as complex elements.
view_as_real: Complex elements as pairs of floats.
vsplit: Parts along the first dimension.
vstack: Tensors joined along the first dimension.
where: Elements of self where the condition holds, else of other.
xlogy: self * log(other), and 0 where self is 0.
zero: All elements zero.
zeros: A tensor of zeros.
zeros_like: Zeros in the shape of another tensor.
clone: A copy with memory of its own.
contiguous: The same tensor where its memory is in order, else a copy that is.
dense_dim: The number of dense dimensions.
dim: The number of dimensions.
feature_alpha_dropout: Alpha dropout of whole channels.
feature_dropout: Dropout of whole channels.
fft_hfft2: The Fourier transform of a Hermitian signal over two dimensions.
fft_hfftn: The Fourier transform of a Hermitian signal over several dimensions.
fft_ihfft2: The inverse of fft_hfft2.
fft_ihfftn: The inverse of fft_hfftn.
fill_diagonal_: Writes a value to the main diagonal.
fractional_max_pool2d: The maxima of windows whose places are random, and their indices.
fractional_max_pool3d: The maxima of windows whose places are random, and their indices.
grid_sampler_2d: Samples of images at the places of a grid.
grid_sampler_3d: Samples of volumes at the places of a grid.
hash_tensor: A hash of the elements.
index: Elements at the places that tensors of indices or masks name; null takes a whole dimension.
is_coalesced: Whether a sparse tensor is coalesced.
is_conj: Whether the conjugate bit is set.
is_contiguous: Whether the memory is in order.
is_distributed: Whether the tensor is distributed: false.
is_inference: Whether the tensor was made in inference mode.
is_leaf: Whether the tensor is a leaf of the autograd graph: there is none, true.
is_neg: Whether the negative bit is set.
is_non_overlapping_and_dense: Whether the elements fill one block of memory without overlap.
is_set_to: Whether two tensors are the same view of one memory.
is_signed: Whether the dtype has negative numbers.
is_strides_like_format: Whether the strides are those of a memory format.
linalg_cholesky_ex: The Cholesky factor, and a number that tells where it failed.
linalg_householder_product: The first columns of a product of Householder reflections.
linalg_inv_ex: The inverse, and a number that tells where it failed.
linalg_ldl_factor: The LDL factors of a symmetric matrix in compact form, and the pivots.
linalg_ldl_factor_ex: The LDL factors of a symmetric matrix in compact form, the pivots, and a number that tells where it failed.
linalg_ldl_solve: Solves a system with the factors of linalg_ldl_factor.
linalg_lu_factor: The LU factors in compact form, and the pivots.
linalg_lu_factor_ex: The LU factors in compact form, the pivots, and a number that tells where it failed.
linalg_lu_solve: Solves a system with the factors of linalg_lu_factor.
linalg_matrix_sqrth: The square root of a Hermitian matrix.
linalg_polar: The polar decomposition of a matrix.
linalg_solve_ex: Solves a system of equations, with a number that tells where it failed.
native_channel_shuffle: Channels taken in turn from each group.
norm_except_dim: The norms over all dimensions but one.
normal_functional: Normal random numbers in the shape of a tensor.
pad_sequence: Sequences of several lengths as one tensor, filled up with a value.
q_per_channel_axis: The dimension of the channels of a quantized tensor.
q_per_channel_scales: The scale of each channel of a quantized tensor.
q_per_channel_zero_points: The zero point of each channel of a quantized tensor.
q_scale: The scale of a quantized tensor.
q_zero_point: The zero point of a quantized tensor.
qscheme: The scheme of a quantized tensor.
resize_: Another shape in place; what is new is not set.
resize_as_: The shape of another tensor, in place.
retains_grad: Whether gradients are kept: there are none, false.
rnn_relu_cell: One step of an Elman network with relu.
rnn_tanh_cell: One step of an Elman network with tanh.
size: The shape, or one size.
slow_conv3d: A convolution over three dimensions.
special_airy_ai: The Airy function Ai.
storage_offset: The place of the first element in the storage.
stride: The strides, or one stride.
unique_dim_consecutive: Slices along a dimension without those that equal the one before.
unsafe_chunk: As chunk, without the marks of views.
unsafe_split: As split, without the marks of views.
unsafe_split_with_sizes: As split_with_sizes, without the marks of views.
special_entr: -x log(x).
special_erfcx: exp(x ** 2) erfc(x).
special_expit: 1 / (1 + exp(-x)).
special_i0e: exp(-|x|) i0(x).
special_i1: The modified Bessel function of order 1.
special_i1e: exp(-|x|) i1(x).
special_log_ndtr: The logarithm of the normal distribution function.
special_ndtr: The normal distribution function.
special_ndtri: The inverse of the normal distribution function.
special_xlog1py: self * log1p(other), and 0 where self is 0.
special_zeta: The Hurwitz zeta function.
special_gammainc: The regularized lower incomplete gamma function.
special_gammaincc: The regularized upper incomplete gamma function.
special_gammaln: The logarithm of the gamma function.
special_multigammaln: The logarithm of the multivariate gamma function.
special_psi: The logarithmic derivative of the gamma function.
`

const aliases =
  `absolute abs arccos acos arccosh acosh arcsin asin arcsinh asinh arctan atan arctan2 atan2 arctanh atanh clip clamp concat cat concatenate cat
divide div fix trunc ger outer greater gt greater_equal ge less lt less_equal le multiply mul negative neg not_equal ne orgqr linalg_householder_product
row_stack vstack subtract sub trapz trapezoid special_digamma digamma special_erf erf special_erfc erfc special_erfinv erfinv special_exp2 exp2 special_expm1 expm1
special_i0 i0 special_log1p log1p special_log_softmax log_softmax special_logit logit special_logsumexp logsumexp special_polygamma polygamma special_round round
special_sinc sinc special_softmax softmax special_xlogy xlogy`.split(/\s+/)

const docs = new Map(
  lines
    .trim()
    .split('\n')
    .map((line) => [line.slice(0, line.indexOf(':')), line.slice(line.indexOf(':') + 2)]),
)
for (let i = 0; i < aliases.length; i += 2) docs.set(aliases[i], `As \`${aliases[i + 1]}\`.`)

const polynomial = /^special_(.*)_polynomial_(\w+)$/
const bessel = /^special_(?:(scaled_)?modified_)?(?:spherical_)?bessel_(\w)(\d)$/

/** What an operator of the catalog computes; undefined where nothing is said. */
export function docOf(name: string): string | undefined {
  const doc = docs.get(name)
  if (doc !== undefined) return doc
  if (name.endsWith('_') && docs.has(name.slice(0, -1))) return `\`${name.slice(0, -1)}\` in place: ${docs.get(name.slice(0, -1))}`
  const [, family, kind] = polynomial.exec(name) ?? []
  if (family !== undefined) return `The ${family.split('_').join(' ')} polynomial ${kind.toUpperCase()} of degree n.`
  const [, scaled, letter, order] = bessel.exec(name) ?? []
  if (letter !== undefined) return `The ${scaled === undefined ? '' : 'scaled '}Bessel function ${letter.toUpperCase()} of order ${order}.`
  return undefined
}

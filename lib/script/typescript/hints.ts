const untyped = 'parameters without a type are tensors; declare the type, such as `n: int`.'
const toInt = 'write `Math.floor(x)` or `Math.trunc(x)`; `/` and `**` give floats.'
const toNumber = 'write `x.item()` for the value of a tensor.'

/** What to write instead, by the message of the compiler; the first that fits. */
const hints: readonly (readonly [RegExp, string])[] = [
  [/^undefined value /, 'declare or import it, or pass it: `jit.script(f, { scope: { name } })`.'],
  [
    /^Unknown type name /,
    'use Tensor, int, float, boolean, string, arrays, tuples, Maps, and classes and interfaces that the file declares or imports.',
  ],
  [/Unknown keyword argument/, 'the declarations above have the names of the options, in snake_case.'],
  [/instead found type '(Optional\[|\w+\?)/, 'test for null first: `if (x !== null) { ... }`; copy a field to a local variable before.'],
  [/instead found type 'Union\[/, 'test the type first: `if (jit.isinstance(x, type)) { ... }`.'],
  [/previously had type int but is now being assigned to a value of type float/, 'declare the type of the variable: `let x: float = 0`.'],
  [/annotated with type int but is being assigned to a value of type float/, toInt],
  [/annotated as having type int but is actually of type float/, toInt],
  [/Expected a value of type 'int' .* but instead found type 'float'/, toInt],
  [/all inputs of range must be ints, found float/, toInt],
  [/all inputs of range must be ints, found Tensor/, untyped],
  [/annotated (as having|with) type (int|float|number|bool) but is (actually|being assigned to a value) of type Tensor/, toNumber],
  [/Expected a value of type 'int' .* but instead found type '(Scalar|number)'/, 'declare the number as `int`.'],
  [/Expected a value of type '(int|float|bool)' .* but instead found type 'Tensor'/, untyped],
  [/^'Tensor' object has no attribute or method/, 'look for the operator in the list of methods of Tensor.'],
  [
    /^(Module|Object) '.*has no attribute|Tried to set nonexistent attribute/,
    'declare the field in the class and give it a value in the constructor.',
  ],
  [/is set to type .* in the true branch and type .* in the false branch/, 'give the variable one type in both branches, or two names.'],
  [/if-expression's true branch has type/, 'give both branches one type.'],
  [/Previous return statement returned a value of type/, 'declare the return type, and return values of one type.'],
  [/is called recursively/, 'write a loop.'],
  [/unrolled loops, we do not support break/, 'test a variable in the body instead.'],
  [/'int' object is not iterable/, 'write `range(n)`.'],
  [/does not return along all paths/, 'return a value at the end, or throw an error.'],
]

export function hintFor(message: string): string | undefined {
  return hints.find(([pattern]) => pattern.test(message))?.[1]
}

/** What to write instead, by the message of the compiler. */
const hints: readonly (readonly [RegExp, string])[] = [
  [/previously had type int but is now being assigned to a value of type float/, 'declare the type of the variable: `let x: float = 0`.'],
  [/previously had type float but is now being assigned to a value of type int/, 'write `float(x)`, or declare the type: `let x: float`.'],
  [
    /annotated with type int but is being assigned to a value of type float/,
    'write `Math.floor(x)` or `Math.trunc(x)`; `/` and `**` give floats.',
  ],
  [/annotated as having type int but is actually of type float/, 'write `Math.floor(x)` or `Math.trunc(x)`; `/` and `**` give floats.'],
  [
    /Expected a value of type 'int' .* but instead found type 'float'/,
    'write `Math.floor(x)` or `Math.trunc(x)`; `/` and `**` give floats.',
  ],
  [/Expected a value of type 'int' .* but instead found type '(Scalar|number)'/, 'declare the number as `int`.'],
  [
    /Expected a value of type '(?:List\[int\]|int\[\])' .* but instead found type 'Tensor/,
    'parameters without a type are tensors; declare it `int[]`.',
  ],
  [
    /instead found type 'Tensor \(inferred\)'|instead found type 'Tensor'/,
    'parameters without a type are tensors; declare the type, such as `n: int`.',
  ],
  [/instead found type 'Optional\[/, 'test for null first: `if (x !== null) { ... }`; copy fields to a local variable before.'],
  [/has no attribute or method|has no attribute '/, 'declare the field in the class and give it a value in the constructor.'],
  [/is set to type .* in the true branch and type .* in the false branch/, 'give the variable one type in both branches, or two names.'],
  [/if-expression's true branch has type/, 'give both branches one type.'],
  [/is called recursively/, 'write a loop.'],
  [
    /^Unknown type name '(object|Function|symbol|Set|Date|Promise)'/,
    'use Tensor, int, float, boolean, string, arrays, tuples, Maps and classes of the file.',
  ],
  [/does not return along all paths/, 'return a value at the end, or throw an error.'],
]

export function hintFor(message: string): string | undefined {
  return hints.find(([pattern]) => pattern.test(message))?.[1]
}

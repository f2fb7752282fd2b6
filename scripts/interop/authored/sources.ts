import { pickle } from '../../../lib/archive/pickle-writer.js'
import type { PickleValue } from '../../../lib/archive/values.js'
import { ZipWriter } from '../../../lib/archive/zip-writer.js'
import * as torch from '../../../lib/index.js'
import type { AuthoredCase } from '../authored.js'
import { randn } from './tools.js'

/** A module `__torch__.M` from code in TorchScript's Python syntax, of which our reader takes more than printers write. */
function moduleOf(code: string, attributes: Record<string, PickleValue> = {}, files: Record<string, string> = {}): torch.jit.ScriptModule {
  const writer = new ZipWriter('source')
  const root: PickleValue = { kind: 'object', className: '__torch__.M', attributes: new Map(Object.entries(attributes)) }
  writer.add('data.pkl', pickle(root, { style: 'script' }).bytes)
  for (const [name, text] of Object.entries({ __torch__: code, ...files })) writer.add(`code/${name}.py`, Buffer.from(text))
  writer.add('constants.pkl', pickle({ kind: 'tuple', items: [] }, { style: 'script' }).bytes)
  writer.add('.data/version', Buffer.from('10'))
  return torch.jit.load(Buffer.concat(writer.finish()))
}

/** A module whose `forward` has the given parameters, result and body. */
const forward = (signature: string, body: string, before = ''): string =>
  `${before}\nclass M(Module):\n  __parameters__ = []\n  __buffers__ = []\n  def forward(self, ${signature}:\n${body.trimEnd().replace(/^\n/, '')}\n`

const program = (
  name: string,
  code: string,
  inputs: () => unknown[],
  attributes?: Record<string, PickleValue>,
  files?: Record<string, string>,
): AuthoredCase => ({
  name: `source/${name}`,
  make: () => ({ module: moduleOf(code, attributes, files), inputs: inputs() }),
})

const int = (value: bigint): PickleValue => ({ kind: 'int', value })

const scope = `
class Scope:
  log : List[str]
  def __init__(self, log: List[str]):
    self.log = log
  def __enter__(self) -> int:
    self.log.append('enter')
    return len(self.log)
  def __exit__(self, type: Any, value: Any, tb: Any) -> None:
    self.log.append('exit')
`

/** Programs whose printed form needs care. */
export const sourceCases: readonly AuthoredCase[] = [
  program(
    'with_as',
    forward(
      'x: Tensor) -> Tuple[Tensor, List[str]]',
      `
    log = annotate(List[str], [])
    with __torch__.Scope(log) as n:
      y = x + n
      with __torch__.Scope(log):
        pass
      log.append('inside')
    z = y * 2
    return (z, log)`,
      scope,
    ),
    () => [randn(2)],
  ),
  program(
    'with_early_return',
    forward(
      'x: Tensor, flag: bool) -> Tensor',
      `
    log = annotate(List[str], [])
    with __torch__.Scope(log):
      if flag:
        return x + 1
    return x + len(log)`,
      scope,
    ),
    () => [randn(2), false],
  ),
  program('with_no_grad', forward('x: Tensor) -> Tensor', `\n    with torch.no_grad():\n      y = x * 2\n    return y + 1`), () => [
    randn(2),
  ]),
  program(
    'none_in_a_loop',
    forward(
      'x: Tensor, n: int) -> Tensor',
      `
    best: Optional[Tensor] = None
    pair: Tuple[Optional[Tensor], int] = (None, 0)
    for i in range(n):
      if best is None:
        best = x * i
      else:
        best = best + 1
      pair = (best, i)
    last = pair[0]
    if best is not None and last is not None:
      return best + last + pair[1]
    return x`,
    ),
    () => [randn(2), 4],
  ),
  program(
    'none_in_branches',
    forward(
      'x: Tensor, a: bool, b: bool) -> int',
      `
    if a:
      y: Optional[Tensor] = None
      t: Tuple[Optional[int], Tensor] = (None, x)
    else:
      y: Optional[Tensor] = None if b else x
      t: Tuple[Optional[int], Tensor] = (3, x)
    n = 0
    while n < 3 and y is None:
      n = n + 1
      y = x if n == 2 else None
    first = t[0]
    return n if first is None else first + n`,
    ),
    () => [randn(2), true, false],
  ),
  program(
    'names_of_builtins',
    forward(
      'x: Tensor, values: List[int]) -> Tuple[Tensor, int, str]',
      `
    torch_ = x + 1
    range_ = values[0]
    total = 0
    for int_ in values:
      total += int_
    for str_ in range(range_):
      total += str_
    return (torch_, total, str(total) + 'x')`,
    ),
    () => [randn(2), [3, 4]],
  ),
  program(
    'odd_attribute_names',
    `
class M(Module):
  __parameters__ = []
  __buffers__ = []
  __annotations__["from"] = int
  __annotations__["a-b"] = int
  plain : int
  def forward(self, x: Tensor) -> Tensor:
    return x * getattr(self, "from") + getattr(self, "a-b") + self.plain
`,
    () => [randn(2)],
    { from: int(3n), 'a-b': int(4n), plain: int(-5n) },
  ),
  program(
    'function_in_the_package_of_a_class',
    forward(
      'x: Tensor) -> Tensor',
      '\n    return __torch__.Tools.twice(x) + __torch__.Tools(3).n',
      '\nclass Tools:\n  n : int\n  def __init__(self, n: int):\n    self.n = n\n',
    ),
    () => [randn(2)],
    {},
    { '__torch__/Tools': 'def twice(x: Tensor) -> Tensor:\n  return x * 2\n' },
  ),
  program(
    'numbers',
    forward(
      'x: Tensor) -> Tuple[Tensor, float, float, int, complex]',
      `
    big = 1e10
    return (x * big + 1e-300, big, -inf, -9223372036854775807, complex(1.5, -2.0))`,
    ),
    () => [randn(2)],
  ),
  program(
    'strings',
    forward(
      's: str) -> List[str]',
      `\n    return [s + 'é', "tab\\t\\"q\\" '\\\\' \\001\\n", "{} {}".format(s, 3), '%d %s' % (3, s), s[0], 'a long text of more than forty characters, to be split off']`,
    ),
    () => ['x'],
  ),
  program(
    'enums_and_named_tuples',
    forward(
      'x: Tensor, n: int) -> Tuple[Tensor, str, __torch__.P]',
      `
    colors = [__torch__.Color.RED, __torch__.Color.BLUE]
    table = {1: __torch__.Color.RED}
    c = colors[n]
    p = __torch__.P(n, x)
    if c == __torch__.Color.BLUE:
      p = __torch__.P(n + 1, x * 2)
    return (p.y, c.name + table[1].name, p)`,
      '\nclass Color(Enum):\n  RED = 1\n  BLUE = 2\nclass P(NamedTuple):\n  x : int\n  y : Tensor\n',
    ),
    () => [randn(2), 1],
  ),
  program(
    'control_flow',
    forward(
      'x: Tensor, n: int) -> Tensor',
      `
    y = x
    for i in range(10):
      if i == 2:
        continue
      if i > n:
        break
      y = y + i
    while True:
      y = y * 1.5
      if y.sum().item() > 100.:
        break
      if n < 0:
        return y
      n -= 1
    assert n < 1000, 'n is large'
    return torch.cat([y for _ in range(2)])`,
    ),
    () => [randn(2), 4],
  ),
  program(
    'fork_and_wait',
    forward(
      'x: Tensor) -> Tensor',
      `
    f = torch.jit.fork(__torch__.work, x, 2)
    g = torch.jit.fork(__torch__.work, x, 3)
    return torch.jit.wait(f) + torch.jit.wait(g)`,
      '\ndef work(x: Tensor, n: int) -> Tensor:\n  y = x\n  for i in range(n):\n    y = y.sin() + i\n  return y\n',
    ),
    () => [randn(2)],
  ),
  program(
    'unions',
    forward(
      'a: Union[int, str, Tensor], b: Optional[List[int]] = None) -> str',
      `
    if isinstance(a, str):
      r = a
    elif isinstance(a, int):
      r = str(a + 1)
    else:
      r = str(a.dim())
    l: List[Optional[int]] = [None, 3]
    d: Dict[str, Optional[Tensor]] = {'a': None}
    d2 = annotate(Dict[int, List[str]], {})
    d2[3] = ['x']
    return r + str(len(l)) + str(len(d)) + d2[3][0] + str(b is None)`,
    ),
    () => ['s'],
  ),
  program(
    'upgraded_operators',
    forward(
      'x: Tensor, y: Tensor) -> Tensor',
      '\n    return torch.gelu(x) + torch.div(x, y) + torch.full([2], 1.5) + torch.linspace(0, 1, 2)',
    ),
    () => [randn(2), randn(2)],
  ),
]

/** Writes plans of random programs for the driver of the sanitizer builds (scripts/test-sanitizers.sh). */
import { mkdirSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { planOf } from './programs.js'
import { random, randomProgram } from './random-programs.js'

const [folder, count] = process.argv.slice(2)
mkdirSync(folder, { recursive: true })
for (let seed = 1; seed <= Number(count); seed++) writeFileSync(join(folder, `${seed}.plan`), planOf(randomProgram(random(seed))))
const controlFlow = `graph(%a : Tensor, %b : Tensor, %c : Tensor):
  %zero : int = prim::Constant[value=0]()
  %one : int = prim::Constant[value=1]()
  %ten : int = prim::Constant[value=10]()
  %true : bool = prim::Constant[value=1]()
  %none : NoneType = prim::Constant()
  %sum : Tensor = prim::Loop(%ten, %true, %a)
    block0(%i : int, %x : Tensor):
      %even : bool = aten::eq(%i, %one)
      %y : Tensor = prim::If(%even)
        block0():
          %p : Tensor = aten::add(%x, %b, %one)
          -> (%p)
        block1():
          %q : Tensor = aten::mul(%x, %c)
          -> (%q)
      -> (%true, %y)
  %pair : Tensor[] = prim::ListConstruct(%sum, %a)
  %all : Tensor = aten::cat(%pair, %zero)
  %r : Tensor[] = prim::ListConstruct(%all, %sum)
  return (%r)`
writeFileSync(join(folder, 'control-flow.plan'), planOf(controlFlow))

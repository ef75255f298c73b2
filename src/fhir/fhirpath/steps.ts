import type { Run } from './environment.ts';
import { type Collection, EMPTY, type Node, readElement, readProperty } from './node.ts';
import type { Property } from './types.ts';

/** One step of a path, from the items so far to those of an element. */
export type Step = (input: Collection) => Collection;

/** `step` applied to what `run` yields; to the focus when there is none. */
export function after(run: Run | undefined, step: Step): Run {
  if (run === undefined) return step;
  return (focus, env) => {
    const input = run(focus, env);
    return input.length === 0 ? EMPTY : step(input);
  };
}

export function readOne(property: Property): Step {
  return (input) => {
    let out: Node[] | undefined;
    for (const item of input) out = readProperty(item, property, out);
    return out ?? EMPTY;
  };
}

/** All properties of a choice. */
export function readAll(properties: readonly Property[]): Step {
  return (input) => {
    let out: Node[] | undefined;
    for (const item of input) for (const property of properties) out = readProperty(item, property, out);
    return out ?? EMPTY;
  };
}

/** For inputs of several known types. */
export function readByType(reads: ReadonlyMap<string, readonly Property[]>): Step {
  return (input) => {
    let out: Node[] | undefined;
    for (const item of input) {
      for (const property of reads.get(item.type) ?? []) out = readProperty(item, property, out);
    }
    return out ?? EMPTY;
  };
}

/** For inputs of which only evaluation tells the type. */
export function readDynamic(name: string): Step {
  return (input) => {
    let out: Node[] | undefined;
    for (const item of input) out = readElement(item, name, out);
    return out ?? EMPTY;
  };
}

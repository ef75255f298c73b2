import { type Collection, EMPTY, type Node, resourceNode } from './node.ts';

export interface EnvironmentOptions {
  /** `%resource`; the evaluated node when absent. */
  readonly resource?: object;
  /** `%rootResource`; `%resource` when absent. */
  readonly rootResource?: object;
  /** What `now()` and `today()` tell; the clock's time when absent. */
  readonly now?: Date;
}

/** A compiled expression: from the focus (`$this`) to the result. */
export type Run = (focus: Collection, env: Environment) => Collection;

/**
 * What one evaluation is about; several expressions on the same node may share one. Parts that few expressions need
 * are made when asked for.
 */
export class Environment {
  /** `%context`: what is evaluated. */
  readonly context: Collection;
  /** `%resource`: the resource that holds the context. */
  readonly resource: Node;
  /** `%rootResource`: the resource that contains `resource`, or itself. */
  readonly rootResource: Node;
  /** `$index` */
  index = 0;
  /** `$total` */
  total: Collection = EMPTY;
  #now: Date | undefined;
  #fixed: Map<Run, Collection> | undefined;

  constructor(context: Node, options?: EnvironmentOptions) {
    this.context = [context];
    this.resource = options?.resource === undefined ? context : resourceNode(options.resource);
    this.rootResource = options?.rootResource === undefined ? this.resource : resourceNode(options.rootResource);
    this.#now = options?.now;
  }

  get now(): Date {
    this.#now ??= new Date();
    return this.#now;
  }

  /** Results of the parts of an expression that do not depend on the focus. */
  get fixed(): Map<Run, Collection> {
    this.#fixed ??= new Map();
    return this.#fixed;
  }
}

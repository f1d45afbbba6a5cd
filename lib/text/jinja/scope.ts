// In: names and values as a template sets them. Out: what a name means where it is used.
import { Undefined, type Value } from "./values";

/** Names seen from one place: its own, then those around it. */
export class Scope {
  private readonly own = new Map<string, Value>();
  constructor(private readonly outer?: Scope) {}

  get(name: string): Value {
    const value = this.own.get(name);
    if (value !== undefined) return value;
    return this.outer ? this.outer.get(name) : new Undefined(`'${name}' is undefined`);
  }

  set(name: string, value: Value): void {
    this.own.set(name, value);
  }
}

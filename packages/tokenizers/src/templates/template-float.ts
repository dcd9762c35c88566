/**
 * A number that a template prints as Python prints a float, `1.0` and not `1`.
 *
 * JavaScript has one kind of number: `JSON.parse('1.0')` is 1. Where the difference must survive (a tool call whose arguments a
 * model has written, and that must be the same tokens again), wrap the number, for instance in a reviver of `JSON.parse` that
 * looks at the source text. Numbers with a fraction are floats without this.
 */
export class TemplateFloat {
  readonly value: number

  constructor(value: number) {
    this.value = value
  }
}

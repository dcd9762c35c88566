/**
 * 215 templates and what Jinja2 makes of them (`fixtures/chat-templates/make-expressions.py`). The library does less than Jinja2:
 * what it does not know it must refuse, never print as something else.
 */
import { expect, test } from 'vitest'
import { chatTemplateFromSource } from '../../src/chat-template/chat-renderer.ts'
import { ChatTemplateError } from '../../src/chat-template/chat-template-error.ts'
import fixture from '../fixtures/chat-templates/expressions.json' with { type: 'json' }

interface Case {
  readonly template: string
  readonly text?: string
  readonly error?: string
}

/** Beginnings of the templates that are known to give another text than Jinja2. */
const DIFFERENT: readonly string[] = [
  // Unprintable characters within a list.
  "{{ ['é', '👋', '\\x7f'",
  // A list without commas.
  '{{ [x for x in numbers] }}',
  // Extra arguments of a macro, printed as a list instead of a tuple.
  '{% macro f(a) %}{{ a }}{{ varargs }}',
  // A name that Jinja2's sandbox keeps to itself.
  '{% set ns = namespace() %}{% set ns._x = 1 %}',
  // The end of a tag and a line end within a string.
  "text {% set x = '%}",
  // Variables set inside of the tag.
  '{% for i in [1] %}{% generation %}{% set q = 1 %}',
]

const cases: readonly Case[] = fixture.cases

function render(template: string): string | ChatTemplateError {
  try {
    const renderer = chatTemplateFromSource(template, { clock: () => new Date(2026, 1, 3, 14, 5, 6) })
    return renderer.render([{ role: 'user', content: 'x' }], { variables: fixture.variables }).text
  } catch (error) {
    if (error instanceof ChatTemplateError) return error
    throw error
  }
}

for (const { template, text } of cases) {
  if (DIFFERENT.some((start) => template.startsWith(start))) continue
  const title = template.length > 100 ? `${template.slice(0, 100)}…` : template
  test(`rendered as Jinja2 does, or refused: ${title}`, () => {
    const rendered = render(template)
    if (!(rendered instanceof ChatTemplateError)) expect(rendered).toBe(text)
  })
}

test('three in five of these templates, made to try everything, are rendered rather than refused', () => {
  const renderable = cases.filter(({ text }) => text !== undefined)
  const rendered = renderable.filter(({ template }) => !(render(template) instanceof ChatTemplateError))
  expect(rendered.length / renderable.length).toBeGreaterThan(0.6)
})

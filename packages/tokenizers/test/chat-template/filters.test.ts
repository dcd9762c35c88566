/** Filters that published templates need beyond what the library has. Expected texts are those of Jinja2 3.1.6. */
import { expect, test } from 'vitest'
import { chatTemplateFromSource } from '../../src/chat-template/chat-renderer.ts'

function render(source: string): string {
  return chatTemplateFromSource(source).render([{ role: 'user', content: 'a text' }]).text
}

test.each([
  ["{{ messages[0].content|selectattr('type', 'equalto', 'image')|list }}", '[]'],
  ["{{ [{'a': 1}, {'b': 2}]|selectattr('a', 'undefined')|list }}", "[{'b': 2}]"],
  ["{{ [{'a': 1}, {'b': 2}]|rejectattr('a', 'equalto', 1)|list }}", "[{'b': 2}]"],
  ["{{ [{'a': [1]}, {'a': [2]}]|selectattr('a', 'equalto', [1])|list }}", "[{'a': [1]}]"],
  ["{{ [{'a': {'b': 0}}, {'a': {'b': 2}}]|selectattr('a.b')|list }}", "[{'a': {'b': 2}}]"],
  ["{{ [{'a': none}, {'a': 1}]|rejectattr('a', 'none')|list }}", "[{'a': 1}]"],
  ["{{ [{'a': 1}, {'a': 2}]|selectattr('a', 'in', [2, 3])|list }}", "[{'a': 2}]"],
  ["{{ ['a', '', 'b']|select|list }}{{ ['a', '', 'b']|reject|list }}", "['a', 'b']['']"],
  ["{{ [1, 2, 3]|select('odd')|list }}{{ [1, 2, 3]|reject('divisibleby', 3)|list }}", '[1, 3][1, 2]'],
])('elements are chosen as Jinja2 chooses them: %s', (source, expected) => {
  expect(render(source)).toBe(expected)
})

test.each(["{{ [1]|select('no such test')|list }}", '{{ [1]|select(1)|list }}', '{{ [1]|selectattr|list }}', "{{ 1|select('odd')|list }}"])(
  'a choice that cannot be made is refused: %s',
  (source) => {
    expect(() => render(source)).toThrow(expect.objectContaining({ code: 'chat-template', reason: 'evaluation' }))
  },
)

test.each([
  ['{{ dict(id=1, b="x")|tojson }}', '{"id": 1, "b": "x"}'],
  ["{{ dict({'a': 1, 'b': 2}, b=3)|tojson }}", '{"a": 1, "b": 3}'],
  ['{{ dict()|tojson }}', '{}'],
  ["{{ dict(**{'a': 1})|tojson }}", '{"a": 1}'],
])('a dictionary is made of another one and of names: %s', (source, expected) => {
  expect(render(source)).toBe(expected)
})

/** A piece of HTML in which everything that came from elsewhere is escaped. Only `html` makes one. */
export class Html {
  constructor(readonly text: string) {}
}

/** `undefined` and `false` show nothing, so that a part can be left out with `&&`. */
export type HtmlValue = string | number | false | undefined | Html | readonly HtmlValue[];

/** For templates: every value is escaped unless it is Html itself. Attribute values must stand in double quotes. */
export function html(parts: TemplateStringsArray, ...values: readonly HtmlValue[]): Html {
  const text = parts.reduce((before, part, index) => `${before}${printed(values[index - 1])}${part}`);
  return new Html(text);
}

function printed(value: HtmlValue): string {
  if (value === undefined || value === false) return '';
  if (value instanceof Html) return value.text;
  if (typeof value === 'string') return escapeHtml(value);
  if (typeof value === 'number') return String(value);
  return value.map(printed).join('');
}

const entities: Readonly<Record<string, string>> = {
  '&': '&amp;',
  '<': '&lt;',
  '>': '&gt;',
  '"': '&quot;',
  "'": '&#39;',
};

function escapeHtml(text: string): string {
  return text.replace(/[&<>"']/g, (character) => entities[character] ?? character);
}

import fc from 'fast-check';
import { installLevels } from '../../../src/domain/connections/connection';
import { connectionProblems } from '../../../src/domain/connections/connection-problem';
import { errorCodes } from '../../../src/domain/errors';
import type { InstallProblem } from '../../../src/domain/installs/install';
import { Html, html } from '../../../src/http/pages/html';
import { printPage } from '../../../src/http/pages/page';
import { textOf } from '../../../src/http/pages/problem-texts';
import { style } from '../../../src/http/pages/style';

fc.configureGlobal({ seed: 1918 });

describe('a piece of HTML', () => {
  it('escapes whatever it is given, wherever it stands', () => {
    fc.assert(
      fc.property(fc.string(), (text) => {
        const printed = html`<p title="${text}">${text}</p>`.text;
        const [, attribute = '', content = ''] = /^<p title="([^"]*)">([^<]*)<\/p>$/.exec(printed) ?? [];
        expect(unescaped(attribute)).toBe(text);
        expect(unescaped(content)).toBe(text);
      }),
    );
  });

  it('takes pieces and lists of them as they are, and leaves out what is not there', () => {
    const items = ['<a>', new Html('<b>'), 3, undefined, false] as const;
    expect(html`${items}|${undefined}|${false}|${html`<i>${'&'}</i>`}`.text).toBe('&lt;a&gt;<b>3|||<i>&amp;</i>');
  });
});

function unescaped(text: string): string {
  return text
    .replaceAll('&#39;', "'")
    .replaceAll('&quot;', '"')
    .replaceAll('&gt;', '>')
    .replaceAll('&lt;', '<')
    .replaceAll('&amp;', '&');
}

describe('the page of a problem', () => {
  const problem = (code: InstallProblem['code'], grantedLevel?: InstallProblem['grantedLevel']): InstallProblem => ({
    code,
    message: 'The message.',
    remedy: 'The remedy.',
    detail: '<detail>',
    grantedLevel,
  });

  it.each(errorCodes.flatMap((code) => installLevels.map((level) => [code, level] as const)))(
    'says for %s of a %s what happened and what to do',
    (code, level) => {
      for (const granted of [undefined, ...installLevels]) {
        const { title, content } = textOf(problem(code, granted), { level, isLevelFixed: granted !== undefined });
        const page = printPage({ title, content }, 'gateway.example');
        expect(title.length).toBeGreaterThan(10);
        expect(content.text.length).toBeGreaterThan(20);
        expect(page).not.toContain('<detail>');
        expect(page.match(/<h1>/g)).toHaveLength(1);
      }
    },
  );

  it('has words of its own for each problem of a fresh grant', () => {
    const tokenEnded = [
      'INVALID_TOKEN',
      'WRONG_TOKEN_KIND',
      'REAUTHORIZATION_REQUIRED',
      'TOKEN_REVOKED',
      'TOKEN_EXPIRED',
    ];
    const codes = Object.keys(connectionProblems).filter((code) => ![...tokenEnded, 'APP_UNINSTALLED'].includes(code));
    const asked = { level: 'ORGANIZATION', isLevelFixed: true } as const;
    const titles = codes.map((code) => textOf(problem(code as InstallProblem['code']), asked).title);
    expect(new Set(titles).size).toBe(codes.length);
    expect(titles).not.toContain('Slack was not connected');
  });
});

describe('the colours', () => {
  const luminance = (hex: string) => {
    const [red = 0, green = 0, blue = 0] = (hex.match(/[0-9a-f]{2}/g) ?? []).map((part) => {
      const share = Number.parseInt(part, 16) / 255;
      return share <= 0.04045 ? share / 12.92 : ((share + 0.055) / 1.055) ** 2.4;
    });
    return 0.2126 * red + 0.7152 * green + 0.0722 * blue;
  };
  const contrast = (one: string, other: string) => {
    const [dark = 0, light = 0] = [luminance(one), luminance(other)].sort((a, b) => a - b);
    return (light + 0.05) / (dark + 0.05);
  };
  const [light = '', dark = ''] = style.match(/:root \{[^}]*\}/g) ?? [];

  it.each([
    ['light', light],
    ['dark', dark],
  ])('of %s have enough contrast for text (WCAG AA)', (_, block) => {
    const color = (name: string) => new RegExp(`--${name}: (#[0-9a-f]{6});`).exec(block)?.[1] ?? '';
    const pairs = [
      ...['text', 'quiet', 'action'].flatMap((front) => ['page', 'card'].map((back) => [front, back])),
      ...[
        ['text', 'mark'],
        ['quiet', 'mark'],
        ['text', 'wrong-back'],
        ['on-action', 'action'],
      ],
    ];
    for (const [front = '', back = ''] of pairs) {
      expect(color(front)).toMatch(/^#/);
      expect(contrast(color(front), color(back))).toBeGreaterThanOrEqual(4.5);
    }
  });
});

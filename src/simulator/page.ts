import { createHash } from 'node:crypto';

const style = `
  :root { color-scheme: light dark; }
  body { font: 1rem/1.5 system-ui, sans-serif; max-width: 40rem; margin: 2rem auto; padding: 0 1rem; }
  a, button, select { font: inherit; }
  ul { padding-left: 1.25rem; }
  select { display: block; width: 100%; padding: 0.4rem; margin: 0.25rem 0 1rem; }
  button { padding: 0.5rem 1.25rem; margin-right: 0.75rem; cursor: pointer; }
  code { font-family: ui-monospace, monospace; font-size: 0.875rem; overflow-wrap: anywhere; }
`;
const styleHash = `'sha256-${createHash('sha256').update(style).digest('base64')}'`;

/** A page without script and without anything from elsewhere. Title and content: `title` is escaped here, `content` is not. */
export function htmlPage(title: string, content: string): string {
  return `<!DOCTYPE html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<title>${escapeHtml(title)}</title>
<style>${style}</style>
</head>
<body>
<main>
<h1>${escapeHtml(title)}</h1>
${content}
</main>
</body>
</html>
`;
}

/**
 * @param formTargets origins besides this one that a form may end up at: browsers also hold redirects against `form-action`.
 */
export function pageHeaders(formTargets: readonly string[] = []): Record<string, string> {
  const forms = ["'self'", ...formTargets].join(' ');
  return {
    'content-type': 'text/html; charset=utf-8',
    'content-security-policy': `default-src 'none'; style-src ${styleHash}; form-action ${forms}; base-uri 'none'; frame-ancestors 'none'`,
    // With "no-referrer" browsers would send `Origin: null` from the form as well.
    'referrer-policy': 'same-origin',
    'cache-control': 'no-store',
    'x-content-type-options': 'nosniff',
  };
}

export function escapeHtml(text: string): string {
  return text.replaceAll('&', '&amp;').replaceAll('<', '&lt;').replaceAll('>', '&gt;').replaceAll('"', '&quot;');
}

import { Html, html } from './html';
import { style, styleHash } from './style';

/** A page as a route sends it. */
export interface Page {
  readonly status: number;
  readonly title: string;
  readonly content: Html;
  /** Where the browser goes by itself, and after how many seconds. Sent as a header, so that a state in it is on no page. */
  readonly next?: { readonly url: string; readonly seconds: number };
}

/**
 * No script at all, and forms go to this gateway alone: browsers hold the redirects after a form against `form-action`, too,
 * and nobody knows over which hosts Slack and a company's sign-in lead. So a form ends on a page of ours, and the way on is
 * a navigation of its own (`next`).
 */
const contentSecurityPolicy = [
  "default-src 'none'",
  `style-src ${styleHash}`,
  "form-action 'self'",
  "base-uri 'none'",
  "frame-ancestors 'none'",
].join('; ');

export function pageHeaders({ next }: Pick<Page, 'next'>): Record<string, string> {
  return {
    'content-type': 'text/html; charset=utf-8',
    'content-security-policy': contentSecurityPolicy,
    'cache-control': 'no-store',
    'referrer-policy': 'no-referrer',
    'x-content-type-options': 'nosniff',
    'x-robots-tag': 'noindex, nofollow',
    ...(next ? { refresh: `${next.seconds};url=${next.url}` } : {}),
  };
}

/** @param host where this gateway is reached, so that the person can compare it with the address bar */
export function printPage({ title, content }: Pick<Page, 'title' | 'content'>, host: string): string {
  const page = html`<!DOCTYPE html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<title>${title}</title>
<style>${new Html(style)}</style>
</head>
<body>
<div class="frame">
<header>Rollcall, an open-source gateway to Slack</header>
<main>
<h1>${title}</h1>
${content}
</main>
<footer>
<p>This page is at <strong>${host}</strong>. It never asks for a password.</p>
</footer>
</div>
</body>
</html>
`;
  return page.text;
}

import { createHash } from 'node:crypto';

/** One sheet for all pages, within each page: there is no second request that could fail or be watched. */
export const style = `
:root {
  color-scheme: light dark;
  --text: #1d1c1d; --quiet: #565457; --line: #c9c6ca; --page: #f6f5f6; --card: #ffffff;
  --action: #1a5a96; --on-action: #ffffff; --mark: #eaf2f9; --wrong: #a4262c; --wrong-back: #fdf1f1; --good: #1e6b3a;
}
@media (prefers-color-scheme: dark) {
  :root {
    --text: #ecebec; --quiet: #b3b0b4; --line: #565459; --page: #18171a; --card: #222125;
    --action: #8cc2f2; --on-action: #10202e; --mark: #1d2f40; --wrong: #ff9d9d; --wrong-back: #3a1f21; --good: #84d3a0;
  }
}
* { box-sizing: border-box; }
body { margin: 0; background: var(--page); color: var(--text); font: 1rem/1.55 system-ui, sans-serif; }
.frame { max-width: 42rem; margin: 0 auto; padding: 1.5rem 1rem 3rem; }
header, footer { color: var(--quiet); font-size: 0.875rem; }
header { margin-bottom: 1rem; }
footer { margin-top: 1.5rem; }
footer p { margin: 0.25rem 0; }
main { background: var(--card); border: 1px solid var(--line); border-radius: 0.5rem; padding: 1.5rem; }
h1 { font-size: 1.5rem; line-height: 1.25; margin: 0 0 1rem; }
h2 { font-size: 1.125rem; line-height: 1.3; margin: 1.75rem 0 0.5rem; }
h3 { font-size: 1rem; margin: 1.25rem 0 0.25rem; }
p { margin: 0 0 0.75rem; }
ol, ul { margin: 0 0 0.75rem; padding-left: 1.5rem; }
li { margin-bottom: 0.375rem; }
a { color: var(--action); }
code { font-family: ui-monospace, monospace; font-size: 0.875em; overflow-wrap: anywhere; }
h1, p, li, dd, summary, figcaption { overflow-wrap: anywhere; }
fieldset { border: 0; margin: 0 0 1rem; padding: 0; }
legend { font-weight: 600; padding: 0; margin-bottom: 0.5rem; }
.choice { display: grid; grid-template-columns: auto 1fr; gap: 0.125rem 0.625rem; align-items: baseline; padding: 0.75rem; margin-bottom: 0.5rem; border: 1px solid var(--line); border-radius: 0.375rem; cursor: pointer; }
.choice:has(input:checked) { border-color: var(--action); background: var(--mark); }
.choice strong, .choice span { grid-column: 2; }
.choice input { grid-row: 1; margin: 0; }
.choice span { color: var(--quiet); }
label.field { display: block; font-weight: 600; margin-bottom: 0.25rem; }
input[type='password'] { width: 100%; font: inherit; font-family: ui-monospace, monospace; padding: 0.5rem 0.625rem; color: inherit; background: var(--page); border: 1px solid var(--quiet); border-radius: 0.375rem; }
.hint { color: var(--quiet); font-size: 0.875rem; margin: 0.25rem 0 1rem; }
button, .button { display: inline-block; font: inherit; font-weight: 600; text-decoration: none; color: var(--on-action); background: var(--action); border: 1px solid var(--action); border-radius: 0.375rem; padding: 0.5rem 1.125rem; cursor: pointer; }
.quiet { color: var(--action); background: transparent; }
.actions { display: flex; flex-wrap: wrap; gap: 0.75rem; margin: 1.25rem 0 0.25rem; }
.actions form { margin: 0; }
:focus-visible { outline: 3px solid var(--action); outline-offset: 2px; }
.problem { border-left: 0.25rem solid var(--wrong); background: var(--wrong-back); padding: 0.75rem 1rem; margin: 0 0 1rem; border-radius: 0 0.375rem 0.375rem 0; }
.problem p:last-child { margin-bottom: 0; }
.note { border-left: 0.25rem solid var(--action); background: var(--mark); padding: 0.75rem 1rem; margin: 0 0 1rem; border-radius: 0 0.375rem 0.375rem 0; }
.note p:last-child { margin-bottom: 0; }
.or { border: 0; border-top: 1px solid var(--line); margin: 2rem 0 0; }
details { margin: 0.75rem 0; }
summary { cursor: pointer; font-weight: 600; }
figure { margin: 1rem 0; }
.menu { border: 1px solid var(--line); border-radius: 0.5rem; padding: 0.75rem; background: var(--page); }
.bar { display: flex; justify-content: space-between; gap: 1rem; color: var(--quiet); font-size: 0.875rem; }
.bar b { color: var(--text); border: 1px solid var(--quiet); border-radius: 0.25rem; padding: 0 0.5rem; white-space: nowrap; }
.menu ul { list-style: none; margin: 0.5rem 0 0 auto; padding: 0.25rem; max-width: 23rem; border: 1px solid var(--line); border-radius: 0.375rem; background: var(--card); }
.menu li { margin: 0; padding: 0.25rem 0.5rem; }
.menu li.pick { background: var(--action); color: var(--on-action); border-radius: 0.25rem; font-weight: 600; }
figcaption { color: var(--quiet); font-size: 0.875rem; margin-top: 0.375rem; }
dl { display: grid; grid-template-columns: max-content 1fr; gap: 0.25rem 1rem; margin: 0 0 0.75rem; }
dt { color: var(--quiet); }
dd { margin: 0; }
@media (max-width: 30rem) { main { padding: 1rem; } dl { grid-template-columns: 1fr; gap: 0; } dd { margin-bottom: 0.5rem; } }
@media (forced-colors: active) { .menu li.pick { outline: 2px solid; } }
`;

export const styleHash = `'sha256-${createHash('sha256').update(style).digest('base64')}'`;

import { type GraphiQLPlugin, useGraphiQL, useGraphiQLActions } from '@graphiql/react';
import { useEffect, useState } from 'react';
import type { Example } from './example';
import { examples } from './examples';

/** Where the panel covers the editors, see narrow-screen.css. */
const narrowScreen = '(max-width: 720px)';

/** Side panel that lists every example in plain words; opens the tab that holds it, or a fresh one. */
export const examplesPlugin: GraphiQLPlugin = { title: 'Examples', icon: ExamplesIcon, content: ExamplesPanel };

function ExamplesPanel() {
  const { tabs, activeTabIndex, queryEditor, variableEditor } = useGraphiQL((state) => ({
    tabs: state.tabs,
    activeTabIndex: state.activeTabIndex,
    queryEditor: state.queryEditor,
    variableEditor: state.variableEditor,
  }));
  const { addTab, changeTab, setVisiblePlugin } = useGraphiQLActions();
  const [opening, setOpening] = useState<Example>();

  // A new tab shares its editors with the last one, so it is filled only after the switch has been rendered.
  useEffect(() => {
    if (opening === undefined) return;
    queryEditor?.setValue(opening.query);
    variableEditor?.setValue(opening.variables);
    setOpening(undefined);
  }, [opening, queryEditor, variableEditor]);

  const show = (example: Example) => {
    if (window.matchMedia(narrowScreen).matches) setVisiblePlugin(null);
    const index = tabs.findIndex((tab) => tab.title === example.title);
    if (index >= 0) {
      changeTab(index);
      return;
    }
    addTab();
    setOpening(example);
  };

  return (
    <section className="examples" aria-label="Examples">
      <h2>Examples</h2>
      <p>
        Each has a tab of its own. Fill in the placeholders in the variables below the operation, then press the run
        button.
      </p>
      <ol>
        {examples.map((example) => (
          <li key={example.fileName}>
            <button
              type="button"
              aria-current={tabs[activeTabIndex]?.title === example.title ? 'true' : undefined}
              onClick={() => show(example)}
            >
              <strong className="examples-title">{example.title}</strong>
              <span className="examples-summary">{example.summary}</span>
            </button>
          </li>
        ))}
      </ol>
    </section>
  );
}

function ExamplesIcon() {
  return (
    <svg viewBox="0 0 16 16" fill="none" stroke="currentColor" strokeWidth="1.5" aria-hidden="true">
      <path d="M1.5 3.5l1.2 1.2 2-2.2M1.5 11l1.2 1.2 2-2.2" strokeLinecap="round" strokeLinejoin="round" />
      <path d="M7.5 4h7M7.5 11.5h7" strokeLinecap="round" />
    </svg>
  );
}

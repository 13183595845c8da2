import { useGraphiQL } from '@graphiql/react';
import { useEffect } from 'react';

/** What GraphiQL has no option for; renders nothing, and must stand inside it. */
export function EditorSettings() {
  const { activeTabIndex, queryEditor, variableEditor } = useGraphiQL(
    ({ activeTabIndex, queryEditor, variableEditor }) => ({
      activeTabIndex,
      queryEditor,
      variableEditor,
    }),
  );

  // The examples explain themselves in comments, which nobody reads by scrolling sideways.
  useEffect(() => {
    for (const editor of [queryEditor, variableEditor]) editor?.updateOptions({ wordWrap: 'on' });
  }, [queryEditor, variableEditor]);

  // There are more tabs than fit, and the active one may have been chosen from the list of examples.
  useEffect(() => {
    document
      .getElementById(`graphiql-session-tab-${activeTabIndex}`)
      ?.scrollIntoView({ inline: 'center', block: 'nearest' });
  }, [activeTabIndex]);

  return null;
}

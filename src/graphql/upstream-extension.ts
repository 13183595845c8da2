import type { ApolloServerPlugin } from '@apollo/server';
import type { UpstreamUsage } from '../domain/upstream-usage';
import type { GraphQLContext } from './context';

/**
 * On answers for which Slack was asked: how often, and what the calls left of the limits that they counted in. Clients pace
 * themselves with it.
 */
export const upstreamExtension: ApolloServerPlugin<GraphQLContext> = {
  async requestDidStart() {
    return {
      async willSendResponse({ contextValue: { authentication }, response }) {
        const usage = 'caller' in authentication ? authentication.caller.usage : undefined;
        if (usage === undefined || usage.calls === 0 || response.body.kind !== 'single') return;
        const { singleResult } = response.body;
        singleResult.extensions = { ...singleResult.extensions, upstream: shown(usage) };
      },
    };
  },
};

function shown({ calls, left }: UpstreamUsage) {
  return {
    calls,
    budgets: left.map(({ budgetKey, budget }) => {
      const [environment, teamSlackId] = budgetKey.split(':');
      const { endpointClass, remaining, limitPerMinute, burst, blockedUntil } = budget;
      return { environment, teamSlackId, endpointClass, remaining, limitPerMinute, burst, blockedUntil };
    }),
  };
}

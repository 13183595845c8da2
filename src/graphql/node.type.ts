import { Field, ID, InterfaceType } from 'type-graphql';

/** Global ids say what they belong to, so that `node(id:)` and type resolution need no look-up. */
const typesByPrefix: Readonly<Record<string, string>> = {
  con: 'Connection',
  tok: 'OAuthToken',
  usr: 'User',
  grp: 'Group',
  ins: 'Install',
  opr: 'Operation',
  map: 'Mapping',
};

export function typeOfId(id: string): string | undefined {
  return typesByPrefix[id.split('_')[0] ?? ''];
}

@InterfaceType('Node', {
  description: 'Anything that can be found again by its global id with `node(id:)`.',
  resolveType: (value: { id: string }) => typeOfId(value.id),
})
export abstract class NodeType {
  @Field(() => ID, {
    description: 'Opaque and stable. It is made by this gateway; ids of Slack are always in `slackId`.',
  })
  readonly id!: string;
}

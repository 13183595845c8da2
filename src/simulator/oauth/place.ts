import type { Place } from '../world/oauth-records';
import type { Organization } from '../world/organization';
import type { World } from '../world/world';

/** `team`, `enterprise` and `is_enterprise_install`, as answers tell them (OAuth §4.1 to §4.3, documented). */
export interface PlaceFacts {
  readonly team: { readonly id: string; readonly name: string } | null;
  readonly enterprise: { readonly id: string; readonly name: string } | null;
  readonly is_enterprise_install: boolean;
}

/** @throws Error when the place's organization does not exist. */
export function placeFacts(world: World, { organizationId, workspaceId }: Place): PlaceFacts {
  const organization = world.organizations.get(organizationId);
  if (!organization) throw new Error('The app is installed on an organization that does not exist');
  const whole = { id: organization.id, name: organization.name };
  if (!organization.isEnterprise) return { team: whole, enterprise: null, is_enterprise_install: false };
  const workspace = organization.workspaces.find(({ id }) => id === workspaceId);
  const team = workspace ? { id: workspace.id, name: workspace.name } : null;
  return { team, enterprise: whole, is_enterprise_install: team === null };
}

/** The place with this team or organization id; undefined when nobody has it. */
export function placeById(world: World, id: string): Place | undefined {
  const organization = world.organizationById(id);
  if (!organization) return undefined;
  return { organizationId: organization.id, workspaceId: organization.id === id ? null : id };
}

/** Where the app can be installed in an organization. */
export function placesOf(organization: Organization): { readonly id: string; readonly name: string }[] {
  return organization.isEnterprise ? [...organization.workspaces, organization] : [organization];
}

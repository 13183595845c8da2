import { directoryUrn, enterpriseUrn, groupUrn, guestUrn, listUrn, profileUrn, userUrn } from './urns';

const unsupported = { supported: false };

/** Needs no token, and says that filters do not work though they do (SCIM §2 observed, §11 recorded). */
export function serviceProviderConfig(): object {
  return {
    authenticationSchemes: [
      {
        type: 'oauthbearertoken',
        name: 'OAuth Bearer Token',
        description: 'Authentication Scheme using the OAuth Bearer Token Standard',
        specUrl: 'http://tools.ietf.org/html/draft-ietf-oauth-v2-bearer-01',
        primary: true,
      },
    ],
    patch: { supported: true },
    bulk: { supported: false, maxOperations: 0, maxPayloadSize: 0 },
    filter: { supported: false, maxResults: 0 },
    changePassword: unsupported,
    sort: unsupported,
    etag: unsupported,
    xmlDataFormat: unsupported,
  };
}

/** Without paging numbers, and without `schemaExtensions` for groups (SCIM §11, recorded). */
export function resourceTypes(base: string): object {
  const type = (id: string, endpoint: string, description: string, schema: string) => ({
    schemas: ['urn:ietf:params:scim:schemas:core:2.0:ResourceType'],
    id,
    name: id,
    endpoint,
    description,
    schema,
    meta: { location: `${base}/ResourceTypes/${id}`, resourceType: 'ResourceType' },
  });
  const extensions = [enterpriseUrn, guestUrn, directoryUrn, profileUrn];
  return {
    schemas: [listUrn],
    Resources: [
      {
        ...type('User', '/Users', 'User Account', userUrn),
        schemaExtensions: extensions.map((schema) => ({ schema, required: false })),
      },
      type('Group', '/Groups', 'Group', groupUrn),
    ],
  };
}

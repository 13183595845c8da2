/** Names of SCIM §4.1, documented. */
export const userUrn = 'urn:ietf:params:scim:schemas:core:2.0:User';
export const groupUrn = 'urn:ietf:params:scim:schemas:core:2.0:Group';
export const enterpriseUrn = 'urn:ietf:params:scim:schemas:extension:enterprise:2.0:User';
export const guestUrn = 'urn:ietf:params:scim:schemas:extension:slack:guest:2.0:User';
export const profileUrn = 'urn:ietf:params:scim:schemas:extension:slack:profile:2.0:User';
export const directoryUrn = 'urn:ietf:params:scim:schemas:extension:slack:directory:2.0:User';
export const listUrn = 'urn:ietf:params:scim:api:messages:2.0:ListResponse';
export const patchUrn = 'urn:ietf:params:scim:api:messages:2.0:PatchOp';
export const errorUrn = 'urn:ietf:params:scim:api:messages:2.0:Error';

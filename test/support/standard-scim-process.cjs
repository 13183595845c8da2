// A SCIM 2.0 server of the packages scimmy and scimmy-routers over people in memory, and the little of Slack's Web API that
// a connection needs beside it. It says its port to the parent, and ends with it.
const express = require('express');
const SCIMMY = require('scimmy').default ?? require('scimmy');
const SCIMMYRouters = require('scimmy-routers').default;

const { TOKEN } = process.env;
const people = new Map();
let count = 0;

SCIMMY.Resources.declare(SCIMMY.Resources.User.extend(SCIMMY.Schemas.EnterpriseUser))
  .ingress((resource, data) => {
    const current = resource.id === undefined ? undefined : people.get(resource.id);
    if (resource.id !== undefined && !current)
      throw new SCIMMY.Types.Error(404, null, `Resource ${resource.id} not found`);
    for (const [id, other] of people) {
      if (id === resource.id) continue;
      const isSame = other.userName.toLowerCase() === data.userName.toLowerCase();
      if (isSame) throw new SCIMMY.Types.Error(409, 'uniqueness', 'A user with this userName exists');
    }
    count += current ? 0 : 1;
    const id = resource.id ?? `2819c223-7f76-453a-919d-${String(count).padStart(12, '0')}`;
    const now = new Date().toISOString();
    const meta = { ...(current?.meta ?? { resourceType: 'User', created: now }), lastModified: now };
    people.set(id, { ...JSON.parse(JSON.stringify(data)), id, meta });
    return people.get(id);
  })
  .egress((resource) => {
    if (resource.id === undefined) {
      const all = [...people.values()];
      return resource.filter ? resource.filter.match(all) : all;
    }
    const person = people.get(resource.id);
    if (!person) throw new SCIMMY.Types.Error(404, null, `Resource ${resource.id} not found`);
    return person;
  })
  .degress((resource) => {
    if (!people.delete(resource.id)) throw new SCIMMY.Types.Error(404, null, `Resource ${resource.id} not found`);
  });

const groups = new Map();

SCIMMY.Resources.declare(SCIMMY.Resources.Group)
  .ingress((resource, data) => {
    const current = resource.id === undefined ? undefined : groups.get(resource.id);
    if (resource.id !== undefined && !current)
      throw new SCIMMY.Types.Error(404, null, `Resource ${resource.id} not found`);
    const group = JSON.parse(JSON.stringify(data));
    for (const { value } of group.members ?? []) {
      if (!people.has(value)) throw new SCIMMY.Types.Error(400, 'invalidValue', `Member ${value} not found`);
    }
    count += current ? 0 : 1;
    const id = resource.id ?? `e9e30dba-f08f-4109-8486-${String(count).padStart(12, '0')}`;
    const now = new Date().toISOString();
    const meta = { ...(current?.meta ?? { resourceType: 'Group', created: now }), lastModified: now };
    groups.set(id, { ...group, id, meta });
    return groups.get(id);
  })
  .egress((resource) => {
    if (resource.id === undefined) {
      const all = [...groups.values()];
      return resource.filter ? resource.filter.match(all) : all;
    }
    const group = groups.get(resource.id);
    if (!group) throw new SCIMMY.Types.Error(404, null, `Resource ${resource.id} not found`);
    return group;
  })
  .degress((resource) => {
    if (!groups.delete(resource.id)) throw new SCIMMY.Types.Error(404, null, `Resource ${resource.id} not found`);
  });

const app = express();
app.use('/scim/v2', (request, _response, next) => {
  process.send({ method: request.method, path: request.path });
  // The routers write numbers into the query, which Express 5 would parse anew each time it is read.
  Object.defineProperty(request, 'query', { value: { ...request.query } });
  next();
});
app.use(
  '/scim/v2',
  new SCIMMYRouters({
    type: 'bearer',
    handler: (request) => {
      if (request.header('Authorization') !== `Bearer ${TOKEN}`) throw new Error('Not the token');
      return 'installer';
    },
  }),
);
app.post('/api/auth.test', (request, response) => {
  if (request.header('Authorization') !== `Bearer ${TOKEN}`) return response.json({ ok: false, error: 'invalid_auth' });
  response.header('x-oauth-scopes', 'identify,admin');
  return response.json({
    ok: true,
    url: 'https://standard.slack.com/',
    team: 'Standard',
    user: 'installer',
    team_id: 'T0STANDARD',
    user_id: 'U0INSTALLER',
    is_enterprise_install: false,
  });
});
const server = app.listen(0, '127.0.0.1', () => process.send({ port: server.address().port }));
process.on('disconnect', () => process.exit(0));

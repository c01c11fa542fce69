// PostGraphile 5 over the views of views.sql, one process, as many connections as the others have.
// PORT says where it listens; the variables of libpq say which database.
import { createServer } from "node:http";
import pg from "pg";
import { postgraphile } from "postgraphile";
import { makePgService } from "postgraphile/adaptors/pg";
import { grafserv } from "postgraphile/grafserv/node";
import { PostGraphileAmberPreset } from "postgraphile/presets/amber";
import { createHash } from "node:crypto";

const pool = new pg.Pool({ max: 10, options: "-c jit=off" });

const SIGNED_IN = {
  name: "signed-in",
  text: `select s.account_id, array_agg(u.path::text) filter (where u.path is not null) as tops
           from session s join account a on a.id = s.account_id
           left join appointment p on p.account_id = s.account_id and p.ended_at is null
           left join trade_union u on u.id = p.union_id
          where s.token_hash = $1 and s.ended_at is null and s.expires_at > now()
          group by s.account_id`,
};

async function viewer(headers) {
  const token = (headers.authorization ?? "").slice("Bearer ".length);
  const hash = createHash("sha256").update(token).digest();
  const { rows } = await pool.query({ ...SIGNED_IN, values: [hash] });
  return rows[0]?.tops?.[0] ?? "0";
}

const preset = {
  extends: [PostGraphileAmberPreset],
  pgServices: [makePgService({ pool, schemas: ["shown"] })],
  grafast: {
    explain: false,
    async context(requestContext) {
      return { pgSettings: { "viewer.top": await viewer(requestContext.node.req.headers) } };
    },
  },
  grafserv: { graphqlPath: "/graphql", graphiql: false, watch: false },
  schema: { defaultBehavior: "-insert -update -delete" },
};

const instance = postgraphile(preset);
const serv = instance.createServ(grafserv);
const server = createServer();
server.on("error", (error) => { console.error(error); process.exit(1); });
await serv.addTo(server);
await instance.getSchema();
if (process.argv[2] === "--schema") {
  const { printSchema } = await import("graphql");
  console.log(printSchema(await instance.getSchema()));
  process.exit(0);
}
server.listen(Number(process.env.PORT), "127.0.0.1");
for (const signal of ["SIGTERM", "SIGINT"]) process.on(signal, () => process.exit(0));

// graphile-worker: graphile.mjs URL CONNECTIONS KIND. As one would set it up for
//   unordered   throughput: jobs fetched and completed in batches, with the shortest of pauses
//   ordered     the same, with a queue for each key
//   logged      the same, and a task that reads the row that the job is about and keeps a record of its call
//   simple      a queue for each key, without batches
//   idle        latency: no queues, no batches
import { Logger, makeWorkerUtils, run } from "graphile-worker";
import { post, serve } from "./peer.mjs";

const [, , , connections, kind] = process.argv;
const batches = {
    concurrentJobs: Number(connections),
    localQueue: { size: 500 },
    completeJobBatchDelay: 0,
    pollInterval: 10,
};
const worker = {
    // Where: PGHOST and its like.
    connectionString: "postgresql://",
    maxPoolSize: 20,
    // Without its line for each job.
    logger: new Logger(() => (level, message) => level === "error" && console.error(message)),
    ...(["simple", "idle"].includes(kind) ? { concurrentJobs: 24 } : batches),
};

const tasks = {
    post: (body) => post(body),
    async logged({ key, sequence }, { query }) {
        const { rows } = await query("SELECT padding FROM line WHERE key = $1", [key]);
        const body = { key, sequence, padding: rows[0].padding };
        const status = await post(body);
        await query("INSERT INTO call (key, sequence, body, status) VALUES ($1, $2, $3, $4)", [key, sequence, body, status]);
    },
};
const identifier = kind === "logged" ? "logged" : "post";
const queued = ["simple", "ordered", "logged"].includes(kind);
const utils = await makeWorkerUtils({ preset: { worker } });
await utils.migrate();

await serve({
    add: (round) =>
        utils.addJobs(
            round.map((payload) => ({ identifier, payload, queueName: queued ? payload.key : undefined })),
        ),
    async start() {
        const runner = await run({ preset: { worker }, taskList: tasks, noHandleSignals: true });
        return () => runner.stop();
    },
});

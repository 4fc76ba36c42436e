// pg-boss: boss.mjs URL CONNECTIONS KIND. In batches, without a pause between two of them while there is more;
//   unordered   a queue of its policy "standard"
//   ordered     one of "key_strict_fifo"
import { PgBoss } from "pg-boss";
import { post, serve } from "./peer.mjs";

const [, , , connections, kind] = process.argv;
const workers = 4;
const { PGHOST: host, PGUSER: user, PGDATABASE: database } = process.env;
const boss = new PgBoss({ host, user, database, schedule: false });
boss.on("error", (problem) => console.error(problem));
await boss.start();
await boss.createQueue(kind, { policy: kind === "ordered" ? "key_strict_fifo" : "standard" });

await serve({
    add: (round) =>
        boss.insert(
            kind,
            round.map((data) => ({ data, singletonKey: kind === "ordered" ? data.key : undefined })),
        ),
    async start() {
        await boss.work(
            kind,
            {
                localConcurrency: workers,
                batchSize: Math.ceil(Number(connections) / workers),
                burstWhenBatchFull: true,
                pollingIntervalSeconds: 0.5,
            },
            (jobs) => Promise.all(jobs.map((job) => post(job.data))),
        );
        return () => boss.offWork(kind, { wait: true });
    },
});

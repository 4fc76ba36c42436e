// What the peers' programs share: one POST for each job, over connections that are kept, and commands on standard input, a
// line each, answered by a line when they are done:
//   fill KEYS PER_KEY PADDING   put jobs on the queue: the first of each key, then the second of each …
//   start, stop                 work; no more
// The process stays between two runs, so that what is measured is compiled code.
import { createInterface } from "node:readline";
import { Pool } from "undici";

const [, , url, connections] = process.argv;
const { origin, pathname } = new URL(url);
const pool = new Pool(origin, { connections: Number(connections), pipelining: 1 });

export async function post(body) {
    const answer = await pool.request({
        path: pathname,
        method: "POST",
        headers: { "content-type": "application/json" },
        body: JSON.stringify(body),
    });
    await answer.body.dump();
    if (answer.statusCode !== 200) throw new Error(`status ${answer.statusCode}`);
    return answer.statusCode;
}

// add() takes the bodies of a round, one for each key; start() returns what stops it.
export async function serve({ add, start }) {
    let stop;
    const commands = {
        async fill(keys, perKey, padding) {
            for (let sequence = 1; sequence <= perKey; ++sequence) {
                const round = Array.from({ length: keys }, (_, n) => ({
                    key: String(1001 + n),
                    sequence,
                    padding: "x".repeat(padding),
                }));
                await add(round);
            }
        },
        async start() {
            stop = await start();
        },
        async stop() {
            await stop();
        },
    };
    console.log("ready");
    for await (const line of createInterface({ input: process.stdin })) {
        const [command, ...numbers] = line.split(" ");
        await commands[command](...numbers.map(Number));
        console.log(command);
    }
    process.exit();
}

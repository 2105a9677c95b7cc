#!/usr/bin/env node
// Jobs that wait for their turn.
"use strict";

const fs = require("fs");
const { join, resolve: absolute } = require("./paths");
import Base, { retry as again } from "./base.js";
import * as log from "@tools/log";

const LIMIT = 10;
let running = 0;

/**
 * A queue of jobs.
 */
export class Queue extends Base {
  static #instances = 0;
  name = "queue";

  constructor(size) {
    super();
    this.jobs = new Array(size);
    Queue.count(this);
  }

  static count(queue) {
    return queue.jobs.length;
  }

  async run(job, { tries = LIMIT, ...rest } = {}) {
    const waiting = new Queue(1);
    for (const one of this.jobs) {
      one.start(rest);
    }
    try {
      await again(() => job.work(tries));
    } catch (error) {
      log.warn.loud(error.message);
    }
    return waiting.run(job);
  }

  get size() {
    function counted(list) {
      return list.length;
    }
    return counted(this.jobs);
  }
}

Queue.prototype.clear = function () {
  this.jobs = [];
};

const helpers = {
  load(path) {
    return fs.readFileSync(join(path, absolute(path)));
  },
  save: async (path) => console.log(path),
};

exports.open = (path) => helpers.load(path);

describe("queue", () => {
  it("counts 1.5 jobs", async () => {
    running = Queue.count(unknown.thing);
  });
});

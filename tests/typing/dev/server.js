const express = require("express");
const fs = require("fs/promises");
const path = require("path");

const app = express();
const port = process.env.PORT || 3000;
const dataFile = path.join(__dirname, "guestbook.json");

app.use(express.json());

async function readEntries() {
  try {
    return JSON.parse(await fs.readFile(dataFile, "utf8"));
  } catch (error) {
    if (error.code === "ENOENT") return [];
    throw error;
  }
}

app.get("/entries", async (req, res) => {
  const entries = await readEntries();
  const limit = Number(req.query.limit) || 20;
  res.json(entries.slice(-limit).reverse());
});

app.post("/entries", async (req, res) => {
  const { name, message } = req.body;
  if (!name || !message) {
    return res.status(400).json({ error: "name and message are required" });
  }
  const entries = await readEntries();
  entries.push({ name, message, time: new Date().toISOString() });
  await fs.writeFile(dataFile, JSON.stringify(entries, null, 2));
  res.status(201).json({ count: entries.length });
});

app.listen(port, () => {
  console.log(`Listening on http://localhost:${port}`);
});

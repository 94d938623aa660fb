import { useEffect, useState } from "react";

type Note = { id: string; text: string; createdAt: number };

export function NoteList({ userId }: { userId: string }) {
  const [notes, setNotes] = useState<Note[]>([]);
  const [draft, setDraft] = useState("");
  const [error, setError] = useState<string | null>(null);

  useEffect(() => {
    fetch(`/api/users/${userId}/notes`)
      .then((response) => response.json())
      .then((loaded) => setNotes(loaded))
      .catch((reason) => setError(reason.message));
  }, [userId]);

  function addNote() {
    const note = { id: crypto.randomUUID(), text: draft.trim(), createdAt: Date.now() };
    setNotes([note, ...notes]);
    setDraft("");
  }

  if (error) {
    return <p className="error">{error}</p>;
  }

  return (
    <section>
      <input value={draft} onChange={(event) => setDraft(event.target.value)} placeholder="New note" />
      <button disabled={draft.trim() === ""} onClick={addNote}>
        Add
      </button>
      <ul>
        {notes.map((note) => (
          <li key={note.id}>{note.text}</li>
        ))}
      </ul>
    </section>
  );
}

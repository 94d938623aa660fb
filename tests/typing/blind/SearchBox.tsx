import React, { useMemo, useRef, useState } from "react";

interface Props {
  options: string[];
  onSelect: (option: string) => void;
}

export const SearchBox: React.FC<Props> = ({ options, onSelect }) => {
  const [query, setQuery] = useState("");
  const [open, setOpen] = useState(false);
  const input = useRef<HTMLInputElement>(null);

  const matches = useMemo(
    () => options.filter((option) => option.toLowerCase().includes(query.toLowerCase())).slice(0, 8),
    [options, query],
  );

  const choose = (option: string) => {
    onSelect(option);
    setQuery("");
    setOpen(false);
    input.current?.blur();
  };

  return (
    <div className="search-box">
      <input
        ref={input}
        type="search"
        value={query}
        onFocus={() => setOpen(true)}
        onChange={(event) => setQuery(event.target.value)}
      />
      {open && matches.length > 0 && (
        <ul className="matches">
          {matches.map((match) => (
            <li key={match} onMouseDown={() => choose(match)}>
              {match}
            </li>
          ))}
        </ul>
      )}
    </div>
  );
};

import React, { useState } from "react";
import * as Parts from "./parts";

type Props = { title: string; onClose(): void };

export function Panel({ title, onClose }: Props) {
  const [open, setOpen] = useState<boolean>(true);
  return (
    <Parts.Frame.Box title={title} hidden={!open}>
      <Button onClick={() => setOpen(false)} />
      <span>{title.trim()}</span>
    </Parts.Frame.Box>
  );
}

const Button = ({ onClick }: { onClick: () => void }) => <button onClick={onClick} />;

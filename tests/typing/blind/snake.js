const canvas = document.getElementById("board");
const context = canvas.getContext("2d");
const size = 20;
const cells = canvas.width / size;

let snake = [{ x: 10, y: 10 }];
let direction = { x: 1, y: 0 };
let food = randomCell();
let score = 0;

function randomCell() {
  return { x: Math.floor(Math.random() * cells), y: Math.floor(Math.random() * cells) };
}

function step() {
  const head = { x: snake[0].x + direction.x, y: snake[0].y + direction.y };
  const outside = head.x < 0 || head.y < 0 || head.x >= cells || head.y >= cells;
  if (outside || snake.some((part) => part.x === head.x && part.y === head.y)) {
    clearInterval(timer);
    alert(`Game over! Score: ${score}`);
    return;
  }
  snake.unshift(head);
  if (head.x === food.x && head.y === food.y) {
    score += 1;
    food = randomCell();
  } else {
    snake.pop();
  }
  draw();
}

function draw() {
  context.clearRect(0, 0, canvas.width, canvas.height);
  context.fillStyle = "green";
  for (const part of snake) {
    context.fillRect(part.x * size, part.y * size, size - 1, size - 1);
  }
  context.fillStyle = "red";
  context.fillRect(food.x * size, food.y * size, size - 1, size - 1);
}

document.addEventListener("keydown", (event) => {
  if (event.key === "ArrowUp") direction = { x: 0, y: -1 };
  if (event.key === "ArrowDown") direction = { x: 0, y: 1 };
  if (event.key === "ArrowLeft") direction = { x: -1, y: 0 };
  if (event.key === "ArrowRight") direction = { x: 1, y: 0 };
});

const timer = setInterval(step, 120);

<?php

declare(strict_types=1);

final class ContactForm
{
    private array $errors = [];

    public function __construct(private PDO $database)
    {
    }

    public function validate(array $input): bool
    {
        if (trim($input['name'] ?? '') === '') {
            $this->errors['name'] = 'Please enter your name.';
        }
        if (!filter_var($input['email'] ?? '', FILTER_VALIDATE_EMAIL)) {
            $this->errors['email'] = 'Please enter a valid address.';
        }
        if (strlen($input['message'] ?? '') < 10) {
            $this->errors['message'] = 'Your message is too short.';
        }
        return count($this->errors) === 0;
    }

    public function save(array $input): int
    {
        $statement = $this->database->prepare('INSERT INTO messages (name, email, message) VALUES (?, ?, ?)');
        $statement->execute([$input['name'], $input['email'], $input['message']]);
        return (int) $this->database->lastInsertId();
    }

    public function errors(): array
    {
        return $this->errors;
    }
}

$form = new ContactForm(new PDO('sqlite:messages.db'));
if ($_SERVER['REQUEST_METHOD'] === 'POST' && $form->validate($_POST)) {
    $form->save($_POST);
    header('Location: /thanks.php');
    exit;
}
foreach ($form->errors() as $field => $message) {
    echo "<p class=\"error\">" . htmlspecialchars($message) . "</p>";
}

use std::iter::Peekable;
use std::str::Chars;

#[derive(Debug, Clone, PartialEq)]
pub enum Token {
    Number(f64),
    Name(String),
    Operator(char),
    LeftParen,
    RightParen,
}

pub struct Tokenizer<'a> {
    chars: Peekable<Chars<'a>>,
}

impl<'a> Tokenizer<'a> {
    pub fn new(text: &'a str) -> Self {
        Tokenizer { chars: text.chars().peekable() }
    }

    fn number(&mut self) -> Result<Token, String> {
        let mut digits = String::new();
        while let Some(&c) = self.chars.peek() {
            if c.is_ascii_digit() || c == '.' {
                digits.push(c);
                self.chars.next();
            } else {
                break;
            }
        }
        digits
            .parse()
            .map(Token::Number)
            .map_err(|error| format!("bad number {}: {}", digits, error))
    }

    fn name(&mut self) -> Token {
        let mut name = String::new();
        while let Some(c) = self.chars.next_if(|c| c.is_alphanumeric()) {
            name.push(c);
        }
        Token::Name(name)
    }

    pub fn tokens(mut self) -> Result<Vec<Token>, String> {
        let mut tokens = Vec::new();
        while let Some(&c) = self.chars.peek() {
            let token = match c {
                ' ' | '\t' => {
                    self.chars.next();
                    continue;
                }
                '0'..='9' => self.number()?,
                'a'..='z' | 'A'..='Z' => self.name(),
                '(' => Token::LeftParen,
                ')' => Token::RightParen,
                '+' | '-' | '*' | '/' => Token::Operator(c),
                other => return Err(format!("unexpected character {:?}", other)),
            };
            tokens.push(token);
        }
        Ok(tokens)
    }
}

using System;
using System.Collections.Generic;
using System.Globalization;

namespace Calculator
{
    public class Parser
    {
        private readonly Queue<string> tokens;

        public Parser(IEnumerable<string> tokens)
        {
            this.tokens = new Queue<string>(tokens);
        }

        public double ParseSum()
        {
            double result = ParseProduct();
            while (tokens.Count > 0 && (tokens.Peek() == "+" || tokens.Peek() == "-"))
            {
                string sign = tokens.Dequeue();
                double right = ParseProduct();
                result = sign == "+" ? result + right : result - right;
            }
            return result;
        }

        private double ParseProduct()
        {
            double result = ParseNumber();
            while (tokens.Count > 0 && tokens.Peek() == "*")
            {
                tokens.Dequeue();
                result *= ParseNumber();
            }
            return result;
        }

        private double ParseNumber()
        {
            if (tokens.Count == 0)
            {
                throw new FormatException("number expected");
            }
            return double.Parse(tokens.Dequeue(), CultureInfo.InvariantCulture);
        }
    }
}

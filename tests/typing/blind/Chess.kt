enum class Color { WHITE, BLACK }

enum class Kind(val letter: Char) {
    KING('K'), QUEEN('Q'), ROOK('R'), BISHOP('B'), KNIGHT('N'), PAWN('P')
}

data class Square(val file: Int, val rank: Int) {
    val isOnBoard: Boolean
        get() = file in 0..7 && rank in 0..7

    override fun toString(): String = "${'a' + file}${rank + 1}"

    companion object {
        fun parse(text: String): Square {
            require(text.length == 2) { "expected a square such as e4, got $text" }
            return Square(text[0] - 'a', text[1] - '1')
        }
    }
}

data class Piece(val kind: Kind, val color: Color)

class Board {
    private val pieces = HashMap<Square, Piece>()

    operator fun get(square: Square): Piece? = pieces[square]

    operator fun set(square: Square, piece: Piece?) {
        if (piece == null) pieces.remove(square) else pieces[square] = piece
    }

    fun knightMoves(from: Square): List<Square> {
        val steps = listOf(1 to 2, 2 to 1, 2 to -1, 1 to -2, -1 to -2, -2 to -1, -2 to 1, -1 to 2)
        return steps
            .map { (file, rank) -> Square(from.file + file, from.rank + rank) }
            .filter { it.isOnBoard && pieces[it]?.color != pieces[from]?.color }
    }
}

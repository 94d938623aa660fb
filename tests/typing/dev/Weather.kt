package weather

import java.time.LocalDate

data class Reading(val day: LocalDate, val station: String, val celsius: Double)

class Archive {
    private val readings = mutableListOf<Reading>()

    fun add(reading: Reading) {
        require(reading.celsius > -273.15) { "below absolute zero: ${reading.celsius}" }
        readings.add(reading)
    }

    fun average(station: String): Double? {
        val values = readings.filter { it.station == station }.map { it.celsius }
        return if (values.isEmpty()) null else values.average()
    }

    fun warmestDay(): Reading? = readings.maxByOrNull { it.celsius }

    fun byMonth(): Map<Int, List<Reading>> = readings.groupBy { it.day.monthValue }
}

fun parseLine(line: String): Reading? {
    val parts = line.split(",").map { it.trim() }
    if (parts.size != 3) return null
    val celsius = parts[2].toDoubleOrNull() ?: return null
    return Reading(LocalDate.parse(parts[0]), parts[1], celsius)
}

fun main(args: Array<String>) {
    val archive = Archive()
    java.io.File(args[0]).forEachLine { line ->
        parseLine(line)?.let { archive.add(it) }
    }
    println("warmest: ${archive.warmestDay()}")
}

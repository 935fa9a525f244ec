"""What was recognised, drawn onto one frame: a panel with the exercise and the count, and a timeline."""

from __future__ import annotations

from functools import lru_cache

import numpy as np
from numpy.typing import NDArray
from PIL import Image, ImageDraw, ImageFont

from exerlitenet.results import NONE, Segment, Workout

Colour = tuple[int, int, int]

# From Okabe and Ito's palette, which people with colour-blindness can tell apart.
KNOWN_COLOURS: dict[str, Colour] = {"squat": (245, 166, 35), "biceps_curl": (86, 180, 233)}
OTHER_COLOURS: tuple[Colour, ...] = ((64, 196, 148), (222, 140, 186), (240, 228, 66), (226, 112, 60))
WHITE = (255, 255, 255, 255)
MUTED = (196, 199, 205, 255)
# A dark veil under white text is legible on bright and on dark pictures.
VEIL = (12, 14, 18, 196)
TRACK = (84, 88, 96, 255)
# Shapes are drawn this many times larger and scaled down, since Pillow draws them with hard edges.
OVERSAMPLING = 3


def exercise_colour(exercise: str) -> Colour:
    """The colour of an exercise, the same one everywhere and always."""
    if exercise in KNOWN_COLOURS:
        return KNOWN_COLOURS[exercise]
    return OTHER_COLOURS[sum(exercise.encode()) % len(OTHER_COLOURS)]


def exercise_title(exercise: str) -> str:
    """A class name as people read it: "biceps_curl" -> "Biceps curl"."""
    if exercise == NONE:
        return "No exercise"
    return exercise.replace("_", " ").strip().capitalize()


def segment_at(workout: Workout, time_s: float) -> Segment | None:
    """The segment under way at a time; None between segments."""
    return next((s for s in workout.segments if s.start_s <= time_s < s.end_s), None)


def repetitions_done(segment: Segment, time_s: float) -> int | None:
    """Repetitions of the segment that had reached their peak by then; None where they were not counted.

    Without their times it is the segment's whole count from its start.
    """
    if segment.repetitions is None or not segment.repetition_times_s:
        return segment.repetitions
    return min(segment.repetitions, sum(t <= time_s for t in segment.repetition_times_s))


def clock_text(seconds: float) -> str:
    """Minutes and seconds, as players show them; hours where there are some."""
    whole = max(0, int(seconds + 1e-6))
    hours, minutes, rest = whole // 3600, whole // 60 % 60, whole % 60
    return f"{hours}:{minutes:02d}:{rest:02d}" if hours else f"{minutes}:{rest:02d}"


class Overlay:
    """Draws one workout onto frames of one size; what does not change between frames is drawn once.

    Examples:
        >>> import numpy as np
        >>> from exerlitenet import Segment, Workout
        >>> from exerlitenet.video.overlay import Overlay
        >>> workout = Workout((Segment(0.0, 4.0, "squat", 0.9, 2, (1.0, 3.0)),), predictions=())
        >>> overlay = Overlay(workout, duration_s=5.0, width=320, height=240)
        >>> overlay.draw(np.zeros((240, 320, 3), np.uint8), time_s=1.5).shape
        (240, 320, 3)
    """

    def __init__(self, workout: Workout, duration_s: float, width: int, height: int) -> None:
        self._workout = workout
        last_end = max((s.end_s for s in workout.segments), default=0.0)
        self._duration_s = max(duration_s, last_end, 1e-3)
        self._size = (width, height)
        # One step of all sizes; narrow portraits must hold a title, so their width counts more.
        self._unit = max(3.0, min(width / 24, height / 24))
        self._panel = lru_cache(maxsize=8)(self._draw_panel)
        self._strip = self._draw_strip()

    def draw(self, rgb: NDArray[np.uint8], time_s: float) -> NDArray[np.uint8]:
        """uint8 [height, width, 3] -> a new one with the overlay for this time."""
        image = Image.fromarray(rgb)
        segment = segment_at(self._workout, time_s)
        if segment is None:
            panel = self._panel(NONE, None, None)
        else:
            done = repetitions_done(segment, time_s)
            panel = self._panel(segment.exercise, round(100 * segment.confidence), done)
        margin = round(0.8 * self._unit)
        image.paste(panel, (margin, margin), panel)
        left, top = 0, self._size[1] - self._strip.height
        image.paste(self._strip, (left, top), self._strip)
        self._draw_cursor(image, time_s)
        return np.array(image)

    def _font(self, units: float) -> ImageFont.FreeTypeFont | ImageFont.ImageFont:
        return font(round(units * self._unit * OVERSAMPLING))

    def _draw_panel(self, exercise: str, percent: int | None, count: int | None) -> Image.Image:
        """The panel at the top left, RGBA."""
        unit = self._unit * OVERSAMPLING
        title, number = exercise_title(exercise), "–" if count is None else str(count)
        title_font, small_font, number_font = self._font(1.75), self._font(1.0), self._font(3.3)
        pad, accent, bar_height = 0.75 * unit, 0.35 * unit, 0.42 * unit
        if percent is None:
            height = 2.9 * unit
            width = 0.5 * unit + accent + 2 * pad + title_font.getlength(title)
            colour: tuple[int, ...] = MUTED
        else:
            height = 4.9 * unit
            text_width = max(title_font.getlength(title), 7.2 * unit)
            label = "rep" if count == 1 else "reps"
            number_width = max(number_font.getlength(number), small_font.getlength("reps"))
            width = 0.5 * unit + accent + 3.4 * pad + text_width + number_width
            colour = (*exercise_colour(exercise), 255)
        canvas = Image.new("RGBA", (round(width), round(height)), (0, 0, 0, 0))
        draw = ImageDraw.Draw(canvas)
        draw.rounded_rectangle((0, 0, width - 1, height - 1), 0.6 * unit, fill=VEIL)
        inset = 0.5 * unit
        draw.rounded_rectangle((inset, inset, inset + accent, height - inset), accent / 2, fill=colour)
        left = inset + accent + pad
        if percent is None:
            draw.text((left, height / 2), title, MUTED, title_font, anchor="lm")
        else:
            stroke = round(unit / 22)
            draw.text((left, 1.6 * unit), title, WHITE, title_font, anchor="lm", stroke_width=stroke)
            bar_top, bar_end = 3.35 * unit - bar_height / 2, left + text_width - 3.0 * unit
            draw.rounded_rectangle((left, bar_top, bar_end, bar_top + bar_height), bar_height / 2, fill=TRACK)
            filled = left + max(bar_height, (bar_end - left) * percent / 100)
            draw.rounded_rectangle((left, bar_top, filled, bar_top + bar_height), bar_height / 2, fill=colour)
            draw.text((left + text_width, 3.35 * unit), f"{percent} %", WHITE, small_font, anchor="rm")
            rule = left + text_width + 0.7 * pad
            draw.line((rule, 0.7 * unit, rule, height - 0.7 * unit), TRACK, max(1, round(0.08 * unit)))
            middle = rule + 0.7 * pad + number_width / 2
            draw.text((middle, 1.9 * unit), number, WHITE, number_font, anchor="mm", stroke_width=stroke)
            draw.text((middle, 4.0 * unit), label, MUTED, small_font, anchor="mm")
        return shrink(canvas)

    def _strip_geometry(self) -> tuple[float, float, float, float, float]:
        """Height of the strip, and left, right, top and bottom of the track in it, in pixels."""
        unit = self._unit
        height = 2.9 * unit
        left = 0.9 * unit
        return height, left, max(left + 1, self._size[0] - left), 1.75 * unit, 2.3 * unit

    def _x(self, time_s: float) -> float:
        _, left, right, _, _ = self._strip_geometry()
        return left + (right - left) * min(1.0, max(0.0, time_s / self._duration_s))

    def _draw_strip(self) -> Image.Image:
        """The timeline along the bottom without its cursor, RGBA."""
        n = OVERSAMPLING
        height, left, right, top, bottom = self._strip_geometry()
        canvas = Image.new("RGBA", (self._size[0] * n, round(height) * n), VEIL)
        draw = ImageDraw.Draw(canvas)
        radius = (bottom - top) * n / 2
        draw.rounded_rectangle((left * n, top * n, right * n, bottom * n), radius, fill=TRACK)
        for segment in self._workout.segments:
            start, end = self._x(segment.start_s), self._x(segment.end_s)
            end = max(end, start + 0.15 * self._unit)
            box = (start * n, top * n, end * n, bottom * n)
            colour = (*exercise_colour(segment.exercise), 255)
            draw.rounded_rectangle(box, min(radius, (end - start) * n / 2), fill=colour)
            for time_s in segment.repetition_times_s:
                x, reach = self._x(time_s) * n, 0.045 * self._unit * n
                draw.rectangle((x - reach, top * n, x + reach, bottom * n), fill=VEIL[:3])
        end_text = clock_text(self._duration_s)
        middle = 0.95 * self._unit * n
        draw.text((right * n, middle), end_text, MUTED, self._font(0.9), anchor="rm")
        return shrink(canvas)

    def _draw_cursor(self, image: Image.Image, time_s: float) -> None:
        """The time that has passed, and where on the track it is."""
        unit, n = self._unit, OVERSAMPLING
        height, left, _, top, bottom = self._strip_geometry()
        base = self._size[1] - round(height)
        knob = 0.5 * unit
        side = 2 * (round(knob) + 2)
        canvas = Image.new("RGBA", (side * n, side * n), (0, 0, 0, 0))
        draw = ImageDraw.Draw(canvas)
        x, y = self._x(time_s), base + (top + bottom) / 2
        corner_x, corner_y = round(x) - side // 2, round(y) - side // 2
        centre_x, centre_y = (x - corner_x) * n, (y - corner_y) * n
        for reach, fill in ((knob, (12, 14, 18, 255)), (0.78 * knob, WHITE)):
            r = reach * n
            draw.ellipse((centre_x - r, centre_y - r, centre_x + r, centre_y + r), fill=fill)
        dot = shrink(canvas)
        image.paste(dot, (corner_x, corner_y), dot)
        text_font = font(round(0.9 * unit))
        position = (left, base + 0.95 * unit)
        ImageDraw.Draw(image).text(position, clock_text(time_s), WHITE[:3], text_font, anchor="lm")


@lru_cache(maxsize=32)
def font(size: int) -> ImageFont.FreeTypeFont | ImageFont.ImageFont:
    """Pillow's own font at a size in pixels."""
    return ImageFont.load_default(size=max(6, size))


def shrink(canvas: Image.Image) -> Image.Image:
    """From the size it was drawn at to the size it is shown at."""
    size = (max(1, round(canvas.width / OVERSAMPLING)), max(1, round(canvas.height / OVERSAMPLING)))
    return canvas.resize(size, Image.Resampling.BOX)

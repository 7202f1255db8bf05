"""Names for made-up members: first and last names are drawn apart, so that nobody in particular is meant."""

from __future__ import annotations

from random import Random

FIRST = tuple(
    """
Aaliyah Aaron Abigail Adaeze Adrian Aisha Alejandra Alicia Allison Amara Amir Andre Angela Anika Anthony Antonio
Ariana Ashley Beatriz Benjamin Bianca Brandon Brenda Brian Caleb Camille Candace Carlos Caroline Cecilia Cedric Celeste
Chad Charlotte Chidi Christina Claire Clarence Connor Corey Courtney Cristina Curtis Damian Dana Daniela Darius Darnell
Deborah Denise Derek Desiree Diego Dominic Dwayne Ebony Eduardo Eileen Elena Elijah Emeka Emily Erica Esteban Ethan
Eun-ji Farah Fatima Felicia Felix Francisco Gabriela Garrett Gina Gloria Grace Graciela Hannah Hassan Heather Hector
Heidi Hiroshi Ian Ibrahim Imani Ines Ingrid Isaiah Isabel Ivan Jacqueline Jamal Janelle Jasmine Javier Jenna Jeremiah
Jerome Jesse Jessica Joanna Jocelyn Jorge Josefina Joshua Joyce Juan Julia Kamal Karen Katarzyna Keisha Keith Kendra
Kenji Kevin Khadija Kimberly Kofi Kristen Lamar Latoya Laura Leah Leila Leon Leticia Linh Lorenzo Lucia Luis Lydia
Mackenzie Malcolm Malik Manuel Marcus Margaret Maribel Marisol Marta Mason Maya Megan Mei Melissa Miguel Mikhail Minh
Miriam Mohammed Monica Nadia Naomi Natalie Nathan Neil Ngozi Nia Nicholas Nicole Noah Noor Norma Octavia Olga Olivia
Omar Oscar Pamela Patrick Paula Pedro Peter Phuong Priya Quentin Rachel Rafael Raj Ramon Raquel Rashida Raul Rebecca
Reggie Renee Ricardo Rosa Ruben Ruth Sabrina Samira Samuel Sandra Sanjay Santiago Sean Selena Serena Shannon Shauna
Sierra Silvia Simone Sofia Soo-jin Stanley Stefan Stephanie Sylvia Tamara Tanya Tariq Terrence Thanh Theresa Tiffany
Timothy Tobias Tomas Tonya Travis Trevor Tyrone Uche Valeria Vanessa Vera Victor Vincent Viviana Warren Wendell Wesley
Whitney Xavier Ximena Yasmin Yesenia Yolanda Yuki Yusuf Zachary Zainab Zoe
""".split()  # noqa: SIM905 - a page of names reads better without quotes
)

LAST = tuple(
    """
Abbott Acosta Adeyemi Aguilar Ahmed Albrecht Alvarado Ambrose Amaya Arroyo Asante Atkins Avila Ayala Bachman Baptiste
Barajas Barlow Barnett Batista Baxter Begay Benavides Benítez Bergstrom Bhatt Blackwood Blanchard Booker Bowden Boyle
Brannigan Briggs Brzezinski Burgess Bustamante Cabrera Calderón Callahan Camacho Cantrell Cardenas Carmody Castaneda
Cavanaugh Cervantes Chamberlain Chandra Chen Chowdhury Cisneros Clayborne Cochran Colbert Contreras Corrigan Covington
Crenshaw Cruz Cunningham Dang Dasgupta Delacroix Delgado DeLuca Desai Dominguez Donnelly Dorsey Duarte Dubois Duong
D'Angelo Eastman Ebanks Echeverria Egan Ellison Emerson Enriquez Escobar Espinoza Estrada Faulkner Fermin Ferreira
Figueroa Finnegan Fitzgerald Flores Fofana Fontaine Franco Fuentes Gaines Galindo Gallagher Galvan Garrido Gebre Gentry
Gilmore Gonzalez Goodwin Grabowski Granger Greenlee Guerrero Guzman Haddad Hairston Halloran Hammond Hargrove Hassan
Hawkins Hendricks Hernandez Herrera Hightower Hinojosa Hoang Hollis Holloway Huang Hutchins Ibarra Idowu Iglesias Irving
Islam Jaramillo Jeffries Jennings Jimenez Joseph Kaplan Kapoor Karimi Kaufman Keller Khan Kirkland Kowalczyk Kuznetsov
Lachance Lambert Landry Larkin Larsson Le Leclair Ledesma Leung Lindqvist Llamas Lockhart Lombardi Longoria Lopez
Lozano Lucero Macias Mahoney Maldonado Mancini Manning Marchetti Marquez Martinez Mathis Matsuda Mbeki McAllister
McCready McGrath McNair Medina Mejia Mendez Mensah Mercado Meyers Miranda Mitchell Mohamed Molina Montoya Morales
Moriarty Mosley Muñoz Nakamura Nash Navarro Ndiaye Newsome Ngo Nguyen Nieves Nolan Norwood Novak Nwosu O'Brien Ochoa
O'Connell Ojeda Okafor Okoye Oliveira O'Neal Ordonez Orozco Ortega Osborne Osman Owusu Pacheco Padilla Park Parrish
Patel Pearson Pellegrino Peña Peralta Pereira Petrov Pham Phelps Pineda Pollard Popov Prescott Pruitt Quach Quezada
Quinn Quintana Rahman Ramirez Rangel Rasmussen Redmond Reilly Rendon Reyes Rhodes Ricci Richter Rios Rivera Robles
Rocha Rodriguez Rojas Romano Rosario Rossi Rousseau Ruiz Rutherford Saavedra Saint-Pierre Salazar Salgado Samuels
Sanchez Sandoval Santiago Santoro Sayegh Schaefer Schultz Serrano Shapiro Sheehan Shepherd Siddiqui Sinclair Singh
Slater Solis Soto Stanton Stokes Suarez Sutherland Svensson Sweeney Takahashi Talbot Tamayo Tanner Tavares Tejada
Thibodeaux Thornton Toledo Torres Tran Trejo Trujillo Turnbull Underhill Urbina Valdez Valentin Vance Varela Vargas
Vaughn Velasco Vega Verma Villanueva Vo Volkov Wakefield Walcott Wallace Walsh Ware Washburn Watanabe Weaver Weiss
Whitaker Whitfield Wilcox Winslow Wojcik Wong Woodard Yamamoto Yang Ybarra Yeager Yoon Youngblood Zamora Zapata
Zhang Zimmerman Zuniga
""".split()  # noqa: SIM905 - a page of names reads better without quotes
)

INITIALS = "ABCDEFGHJKLMNPRSTVW"
SUFFIXES = ("Jr.", "Jr.", "II", "III", "Sr.")


def draw_name(rng: Random) -> tuple[str, str, str, str]:
    """(last, first, middle, suffix); the last two are mostly an initial and nothing."""
    middle = f"{rng.choice(INITIALS)}." if rng.random() < 0.6 else ""
    suffix = rng.choice(SUFFIXES) if rng.random() < 0.03 else ""
    last = rng.choice(LAST)
    if rng.random() < 0.03:
        last = f"{last}-{rng.choice(LAST)}"
    return last, rng.choice(FIRST), middle, suffix
